"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.permissions import PageRight, Permission

FEATURE = Feature(
    name="sign_in_policy_pages",
    pages=(Pages("qikbiz.identity.sign_in_policy_pages.routes:policy", "tenant"),),
    navigation=(
        NavigationEntry(
            "settings",
            110,
            "policy",
            "Sign-in policy",
            "shield-lock",
            "policy.index",
            permission="policy:set",
            group="People",
        ),
    ),
    permissions=(
        PageRight(Permission.POLICY_SET, 120, "Organisation", "set the rules for passwords, sign-in and networks"),
    ),
    emails={
        "break_glass_used": "security",
    },
    evidence=("qikbiz.identity.sign_in_policy_pages.promise:KEEPINGS",),
)
