"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

FEATURE = Feature(
    name="sso",
    pages=(Pages("qikbiz.identity.sso.routes:sso", "tenant"),),
    models=("qikbiz.identity.sso.models",),
    navigation=(
        NavigationEntry(
            "settings", 120, "sso", "Single sign-on", "link", "sso.index", permission="policy:set", group="People"
        ),
    ),
    hooks=("qikbiz.identity.sso.registration:register",),
)
