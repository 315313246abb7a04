"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature
from qikbiz.kernel.job_kinds import JobKind, Periodic

FEATURE = Feature(
    name="ip_reputation",
    models=("qikbiz.security.ip_reputation.models",),
    jobs={
        "checks.address": JobKind(
            "checks", "Check an address", "qikbiz.security.ip_reputation.jobs:check_address", 60, is_platform=True
        ),
        "checks.forget": JobKind(
            "checks",
            "Delete old address events",
            "qikbiz.security.ip_reputation.jobs:forget_addresses",
            is_platform=True,
        ),
        "checks.measure_blocks": JobKind(
            "checks", "Measure false positives", "qikbiz.security.ip_reputation.jobs:measure_blocks", is_platform=True
        ),
    },
    schedule=(
        Periodic("forget addresses", "checks.forget", timedelta(hours=1)),
        # The figures are by week; measured daily, since a block's mistake shows only a day later.
        Periodic("measure blocks", "checks.measure_blocks", timedelta(days=1)),
    ),
)
