"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.permissions import PageRight, Permission

FEATURE = Feature(
    name="roles",
    pages=(Pages("qikbiz.identity.roles.routes:roles", "tenant"),),
    models=("qikbiz.identity.roles.models",),
    navigation=(
        NavigationEntry(
            "settings", 90, "roles", "Roles", "key", "roles.index", permission="role:manage", group="People"
        ),
        NavigationEntry(
            "settings", 100, "teams", "Teams", "users", "roles.all_teams", permission="team:manage", group="People"
        ),
    ),
    permissions=(
        PageRight(Permission.TEAM_MANAGE, 30, "People", "make teams and choose who is in them"),
        PageRight(
            Permission.ROLE_MANAGE, 40, "People", "make and change roles, and look at the product as others see it"
        ),
    ),
    evidence=("qikbiz.identity.roles.promise:KEEPINGS",),
)
