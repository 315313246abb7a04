"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

FEATURE = Feature(
    name="workspace",
    pages=(Pages("qikbiz.crm.workspace.routes:workspace", "tenant"),),
    models=("qikbiz.crm.workspace.models",),
    navigation=(
        NavigationEntry(
            "settings",
            10,
            "general",
            "General",
            "settings",
            "workspace.general",
            permission="policy:set",
            group="Organisation",
        ),
    ),
)
