"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature

FEATURE = Feature(
    name="access_log",
    models=("qikbiz.security.access_log.models",),
    evidence=("qikbiz.security.access_log.promise:KEEPINGS",),
)
