"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature

FEATURE = Feature(
    name="staff",
    models=("qikbiz.identity.staff.models",),
)
