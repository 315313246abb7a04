"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

FEATURE = Feature(
    name="grants",
    pages=(Pages("qikbiz.trust.grants.routes:grants", "tenant"),),
    models=("qikbiz.trust.grants.models",),
    navigation=(
        NavigationEntry(
            "settings",
            130,
            "grants",
            "Support access",
            "login-2",
            "grants.index",
            permission="grant:give",
            group="Privacy",
        ),
    ),
    emails={
        "instruction_confirmed": "security",
        "instruction_recorded": "security",
        "staff_entered": "security",
    },
    evidence=("qikbiz.trust.grants.promise:KEEPINGS",),
)
