"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.job_kinds import HOUR, JobKind, Periodic

FEATURE = Feature(
    name="imports",
    pages=(Pages("qikbiz.transfer.imports.routes:imports", "tenant"),),
    models=("qikbiz.transfer.imports.models",),
    navigation=(
        NavigationEntry("tenant", 40, "imports", "Imports", "table-import", "imports.index", permission="import:see"),
    ),
    jobs={
        "imports.check": JobKind(
            "imports",
            "Check an import",
            "qikbiz.transfer.imports.jobs:check_import",
            2 * HOUR,
            changes_records=True,
            works_for_asker=True,
        ),
        "imports.apply": JobKind(
            "imports",
            "Apply an import",
            "qikbiz.transfer.imports.jobs:apply_import",
            6 * HOUR,
            changes_records=True,
            works_for_asker=True,
        ),
        "imports.undo": JobKind(
            "imports",
            "Undo an import",
            "qikbiz.transfer.imports.jobs:undo_import",
            6 * HOUR,
            changes_records=True,
            works_for_asker=True,
        ),
        "imports.delete_old": JobKind(
            "imports",
            "Delete old uploads",
            "qikbiz.transfer.imports.jobs:delete_old_uploads",
            former_names=("imports.forget",),
        ),
    },
    schedule=(Periodic("delete old uploads", "imports.delete_old", timedelta(days=1), each_tenant=True),),
    emails={
        "import_done": "notifications.import_ready",
    },
    hooks=("qikbiz.transfer.imports.registration:register",),
)
