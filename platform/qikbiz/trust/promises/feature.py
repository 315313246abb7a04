"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

FEATURE = Feature(
    name="promises",
    pages=(
        Pages("qikbiz.trust.promises.routes:public_promises", "site"),
        Pages("qikbiz.trust.promises.routes:promises", "tenant"),
    ),
    navigation=(
        NavigationEntry("settings", 190, "promises", "Promises", "shield-check", "promises.index", group="Privacy"),
    ),
)
