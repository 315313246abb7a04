"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.permissions import PageRight, Permission

FEATURE = Feature(
    name="access_log_pages",
    pages=(Pages("qikbiz.trust.access_log_pages.routes:access_log", "tenant"),),
    navigation=(
        NavigationEntry(
            "settings",
            140,
            "access",
            "Access log",
            "activity",
            "access.index",
            permission="access-log:see",
            group="Privacy",
        ),
        NavigationEntry(
            "settings",
            150,
            "blocks",
            "Blocked addresses",
            "shield-x",
            "access.blocked",
            permission="access-log:see",
            group="Privacy",
        ),
    ),
    permissions=(PageRight(Permission.ACCESS_LOG_SEE, 60, "Privacy", "read the access log"),),
)
