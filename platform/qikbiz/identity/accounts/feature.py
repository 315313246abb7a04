"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

FEATURE = Feature(
    name="accounts",
    pages=(Pages("qikbiz.identity.accounts.routes:accounts", "tenant"),),
    models=("qikbiz.identity.accounts.models",),
    navigation=(
        NavigationEntry("settings", 30, "profile", "Your profile", "user", "accounts.profile", group="You"),
        NavigationEntry(
            "settings", 50, "security", "Sign-in & security", "fingerprint", "accounts.security", group="You"
        ),
        NavigationEntry(
            "settings", 60, "sessions", "Signed-in devices", "device-desktop", "accounts.sessions", group="You"
        ),
        NavigationEntry(
            "settings", 80, "users", "Users", "user-shield", "accounts.users", permission="user:manage", group="People"
        ),
    ),
    emails={
        "invitation": "security",
        "mailed_code": "security",
        "new_device": "security",
        "password_changed": "security",
        "password_reset": "security",
        "sign_in_changed": "security",
        "staff_invitation": "security",
        "theft_detected": "security",
        "operator_login": "security",
    },
    evidence=("qikbiz.identity.accounts.promise:KEEPINGS",),
)
