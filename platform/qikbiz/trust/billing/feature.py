"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature

FEATURE = Feature(name="billing", models=("qikbiz.trust.billing.models",))
