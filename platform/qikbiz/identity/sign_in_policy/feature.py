"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature

FEATURE = Feature(
    name="sign_in_policy",
    models=("qikbiz.identity.sign_in_policy.models",),
)
