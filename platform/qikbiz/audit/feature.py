"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature
from qikbiz.kernel.job_kinds import HOUR, JobKind, Periodic

FEATURE = Feature(
    name="audit",
    models=("qikbiz.audit.models",),
    jobs={
        "audit.check": JobKind("checks", "Verify the audits", "qikbiz.audit.jobs:check_audits", HOUR, is_platform=True),
        # Only the schema's owner can remove events.
        "audit.trim": JobKind(
            "provisioning", "Delete old audit entries", "provisioning.jobs:trim_audits", HOUR, is_platform=True
        ),
    },
    schedule=(
        Periodic("check audits", "audit.check", timedelta(hours=1)),
        Periodic("trim audits", "audit.trim", timedelta(days=1)),
    ),
    evidence=("qikbiz.audit.promise:KEEPINGS",),
)
