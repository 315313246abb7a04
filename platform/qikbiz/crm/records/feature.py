"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, Pages

FEATURE = Feature(
    name="records",
    pages=(Pages("qikbiz.crm.records.routes:records", "tenant"),),
    hooks=("qikbiz.crm.records.registration:register",),
    evidence=("qikbiz.crm.records.promise:KEEPINGS",),
)
