"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, Pages

FEATURE = Feature(
    name="login",
    pages=(Pages("qikbiz.identity.login.blueprint:login", None),),
)
