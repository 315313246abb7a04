"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, Pages

FEATURE = Feature(
    name="mfa",
    pages=(
        Pages("qikbiz.identity.mfa.blueprint:factors", None),
        Pages("qikbiz.identity.mfa.demo_codes:demo_codes", "site", in_production=False),
    ),
    hooks=("qikbiz.identity.mfa.registration:register",),
    evidence=("qikbiz.identity.mfa.promise:KEEPINGS",),
)
