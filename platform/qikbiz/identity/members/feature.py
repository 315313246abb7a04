"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, Pages

FEATURE = Feature(
    name="members",
    pages=(Pages("qikbiz.identity.members.routes:members", "tenant"),),
    evidence=("qikbiz.identity.members.promise:KEEPINGS",),
)
