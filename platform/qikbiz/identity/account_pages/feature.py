"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

FEATURE = Feature(
    name="account_pages",
    pages=(Pages("qikbiz.identity.account_pages.routes:accounts", "tenant"),),
    navigation=(
        NavigationEntry("settings", 30, "profile", "Your profile", "user", "accounts.profile", group="You"),
        NavigationEntry(
            "settings", 50, "security", "Sign-in & security", "fingerprint", "accounts.security", group="You"
        ),
        NavigationEntry(
            "settings", 60, "sessions", "Signed-in devices", "device-desktop", "accounts.sessions", group="You"
        ),
    ),
    evidence=("qikbiz.identity.account_pages.promise:KEEPINGS",),
)
