"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

FEATURE = Feature(
    name="imports",
    pages=(Pages("qikbiz.transfer.imports.routes:imports", "tenant"),),
    models=("qikbiz.transfer.imports.models",),
    navigation=(
        NavigationEntry("tenant", 40, "imports", "Imports", "table-import", "imports.index", permission="import:see"),
    ),
    emails={
        "import_done": "notifications.import_ready",
    },
)
