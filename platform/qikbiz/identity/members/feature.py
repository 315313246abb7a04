"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, Pages
from qikbiz.kernel.job_kinds import HOUR, JobKind

FEATURE = Feature(
    name="members",
    pages=(Pages("qikbiz.identity.members.routes:members", "tenant"),),
    jobs={
        "records.transfer": JobKind(
            "imports",
            "Transfer records",
            "qikbiz.identity.members.jobs:hand_over",
            2 * HOUR,
            former_names=("records.hand_over",),
        ),
    },
    evidence=("qikbiz.identity.members.promise:KEEPINGS",),
)
