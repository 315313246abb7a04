"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

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
    evidence=("qikbiz.identity.roles.promise:KEEPINGS",),
)
