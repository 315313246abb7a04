"""The five steps and how far each closing is; what the last of them will do, in numbers."""

from __future__ import annotations

from datetime import timedelta

from flask import url_for
from sqlalchemy import func, select

from qikbiz.audit.models import RecordChange
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.kernel import clock
from qikbiz.kernel.database import db, runtime
from qikbiz.transfer.exports.models import Export
from qikbiz.trust.account_closure.actions import LONGEST, SHORTEST
from qikbiz.trust.account_closure.models import Closing

WAY = ("request", "cost", "export", "check", "end")
_NAMES = {"request": "Request", "cost": "Cost", "export": "Export", "check": "Verify", "end": "Close"}
_ENDPOINTS = {"request": "ask"}
_PAGES = {
    "asked": "cost",
    "exporting": "export",
    "exported": "export",
    "confirmed": "end",
    "read_only": "standing",
    "reopening": "standing",
    "erasing": "standing",
}


def page_for(closing: Closing) -> str:
    """The endpoint of the page where a closing stands. One that the operator began has no steps for the customer."""
    if closing.ended_by == "operator":
        return "standing"
    return _PAGES[closing.state]


def steps_of(closing: Closing | None) -> list[tuple[str, str]]:
    """Each step's name, with its address once it has been reached: going back loses nothing."""
    reached = WAY.index(_PAGES[closing.state]) if closing is not None and _PAGES[closing.state] in WAY else 0
    if closing is not None and closing.state == "exported":
        reached = WAY.index("check")
    return [
        (_NAMES[step], url_for(f"closing.{_ENDPOINTS.get(step, step)}") if place <= reached else "")
        for place, step in enumerate(WAY)
    ]


def final_facts(closing: Closing, days: int) -> dict[str, object]:
    """What will happen when the last button is pressed. Everything is counted in the file that was checked."""
    days = min(max(days, SHORTEST), LONGEST)
    export = db.session.get(Export, closing.export_id)
    files = export.manifest.get("files", []) if export else []
    rows = {file["table"]: file["rows"] for file in files}
    known = {**{kind.plural: kind.name for kind in RECORD_TYPES.values()}, "users": "user"}
    moment = clock.now()
    erase_after = moment + timedelta(days=days)
    return {
        "days": days,
        "erase_after": erase_after,
        "backups_gone_by": erase_after + timedelta(days=runtime().settings.backup_days),
        "counted": [(word, rows.get(table, 0)) for table, word in known.items()],
        "other_rows": sum(count for table, count in rows.items() if table not in known),
        "exports": db.session.scalar(select(func.count()).select_from(Export).where(Export.state == "ready")) or 0,
        "export": export,
        "changed_since": _changed_since(export),
    }


def _changed_since(export: Export | None) -> int:
    """How many changes of records the checked file does not hold."""
    if export is None or export.snapshot_at is None:
        return 0
    later = select(func.count()).select_from(RecordChange).where(RecordChange.at > export.snapshot_at)
    return db.session.scalar(later) or 0
