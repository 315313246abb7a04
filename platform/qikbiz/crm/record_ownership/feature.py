"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature
from qikbiz.kernel.job_kinds import HOUR, JobKind

FEATURE = Feature(
    name="record_ownership",
    jobs={
        "records.transfer": JobKind(
            "imports",
            "Transfer records",
            "qikbiz.crm.record_ownership.jobs:transfer_records",
            2 * HOUR,
            former_names=("records.hand_over",),
        ),
    },
    hooks=("qikbiz.crm.record_ownership.registration:register",),
)
