"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

FEATURE = Feature(
    name="privacy",
    pages=(Pages("qikbiz.trust.privacy.routes:privacy", "site"),),
    setup=("qikbiz.trust.privacy.cookie_page:register",),
    navigation=(NavigationEntry("settings", 170, "cookies", "Cookies", "cookie", "cookies.index", group="Privacy"),),
    emails={
        "statement_announced": "legal",
        "statement_file_differs": "security",
        "statement_withdrawn": "legal",
    },
    evidence=("qikbiz.trust.privacy.promise:KEEPINGS",),
)
