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
        PageRight(Permission.TEAM_MANAGE, 30, "People", "create teams and choose their members"),
        PageRight(Permission.ROLE_MANAGE, 40, "People", "create and change roles, and view the product as other users"),
    ),
    evidence=("qikbiz.identity.roles.promise:KEEPINGS",),
)
