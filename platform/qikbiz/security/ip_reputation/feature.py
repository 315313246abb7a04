"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature

FEATURE = Feature(
    name="ip_reputation",
    models=("qikbiz.security.ip_reputation.models",),
)
