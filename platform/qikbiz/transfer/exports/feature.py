"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

FEATURE = Feature(
    name="exports",
    pages=(Pages("qikbiz.transfer.exports.routes:exports", "tenant"),),
    models=("qikbiz.transfer.exports.models",),
    navigation=(
        NavigationEntry("tenant", 50, "exports", "Exports", "download", "exports.index", permission="export:ask"),
    ),
    emails={
        "export_downloaded_first": "security",
        "export_failed": "notifications.export_ready",
        "export_made": "security",
        "export_ready": "notifications.export_ready",
    },
)
