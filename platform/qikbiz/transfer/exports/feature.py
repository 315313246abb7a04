"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.job_kinds import HOUR, JobKind, Periodic
from qikbiz.kernel.permissions import PageRight, Permission

FEATURE = Feature(
    name="exports",
    pages=(Pages("qikbiz.transfer.exports.routes:exports", "tenant"),),
    models=("qikbiz.transfer.exports.models",),
    navigation=(
        NavigationEntry("tenant", 50, "exports", "Exports", "download", "exports.index", permission="export:ask"),
    ),
    permissions=(
        PageRight(
            Permission.EXPORT_EVERYTHING, 110, "Records", "export everything, with users, histories and the audit"
        ),
    ),
    jobs={
        "exports.create": JobKind(
            "exports",
            "Create an export",
            "qikbiz.transfer.exports.jobs:make_export",
            6 * HOUR,
            works_for_asker=True,
            former_names=("exports.make",),
        ),
        "exports.expire": JobKind("exports", "Delete old exports", "qikbiz.transfer.exports.jobs:expire_exports"),
    },
    schedule=(
        # An export that is over can't be fetched any more; this only takes its bytes.
        Periodic("expire exports", "exports.expire", timedelta(hours=6), each_tenant=True),
    ),
    emails={
        "export_downloaded_first": "security",
        "export_failed": "notifications.export_ready",
        "export_made": "security",
        "export_ready": "notifications.export_ready",
    },
    hooks=("qikbiz.transfer.exports.registration:register",),
)
