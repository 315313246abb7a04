"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

FEATURE = Feature(
    name="home",
    pages=(Pages("qikbiz.crm.home.routes:home", "tenant"),),
    navigation=(NavigationEntry("tenant", 10, "home", "Home", "home", "home.index"),),
)
