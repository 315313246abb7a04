"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.permissions import PageRight, Permission

FEATURE = Feature(
    name="members",
    pages=(Pages("qikbiz.identity.members.routes:members", "tenant"),),
    navigation=(
        NavigationEntry(
            "settings", 80, "users", "Users", "user-shield", "members.index", permission="user:manage", group="People"
        ),
    ),
    permissions=(
        PageRight(Permission.USER_INVITE, 10, "People", "invite users"),
        PageRight(
            Permission.USER_MANAGE,
            20,
            "People",
            "see users, change their roles, deactivate them and transfer their records",
        ),
    ),
    evidence=("qikbiz.identity.members.promise:KEEPINGS",),
)
