"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature
from qikbiz.kernel.job_kinds import HOUR, JobKind, Periodic

FEATURE = Feature(
    name="audit",
    models=("qikbiz.audit.models",),
    jobs={
        "audit.verify": JobKind(
            "checks",
            "Verify the audits",
            "qikbiz.audit.jobs:verify_audits",
            HOUR,
            is_platform=True,
            former_names=("audit.check",),
        ),
        # Only the schema's owner can remove events.
        "audit.delete_old": JobKind(
            "provisioning",
            "Delete old audit entries",
            "provisioning.jobs:delete_old_audit_events",
            HOUR,
            is_platform=True,
            former_names=("audit.trim",),
        ),
    },
    schedule=(
        Periodic("verify audits", "audit.verify", timedelta(hours=1)),
        Periodic("delete old audit events", "audit.delete_old", timedelta(days=1)),
    ),
    evidence=("qikbiz.audit.promise:KEEPINGS",),
)
