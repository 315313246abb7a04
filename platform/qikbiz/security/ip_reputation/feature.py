"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature
from qikbiz.kernel.job_kinds import JobKind, Periodic
from qikbiz.kernel.permissions import Permission, StaffRole

FEATURE = Feature(
    name="ip_reputation",
    models=("qikbiz.security.ip_reputation.models",),
    staff_permissions={
        Permission.ABUSE_SEE: (StaffRole.AUDITOR, StaffRole.SUPPORT, StaffRole.OPERATOR),
        Permission.ABUSE_DECIDE: (StaffRole.OPERATOR,),
    },
    jobs={
        "ip_reputation.check": JobKind(
            "checks",
            "Check an address",
            "qikbiz.security.ip_reputation.jobs:check_address",
            60,
            is_platform=True,
            former_names=("checks.address",),
        ),
        "ip_reputation.delete_old": JobKind(
            "checks",
            "Delete old address events",
            "qikbiz.security.ip_reputation.jobs:delete_old_events",
            is_platform=True,
            former_names=("checks.forget",),
        ),
        "ip_reputation.measure_false_positives": JobKind(
            "checks",
            "Measure false positives",
            "qikbiz.security.ip_reputation.jobs:measure_false_positives",
            is_platform=True,
            former_names=("checks.measure_blocks",),
        ),
    },
    schedule=(
        Periodic("delete old address events", "ip_reputation.delete_old", timedelta(hours=1)),
        # The figures are by week; measured daily, since a block's mistake shows only a day later.
        Periodic("measure false positives", "ip_reputation.measure_false_positives", timedelta(days=1)),
    ),
)
