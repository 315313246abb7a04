"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry

FEATURE = Feature(
    name="domains",
    setup=("qikbiz.trust.domains.routes:register",),
    navigation=(
        NavigationEntry(
            "settings",
            20,
            "domains",
            "Domains",
            "world",
            "domains.index",
            permission="policy:set",
            group="Organisation",
        ),
    ),
    evidence=("qikbiz.trust.domains.promise:KEEPINGS",),
)
