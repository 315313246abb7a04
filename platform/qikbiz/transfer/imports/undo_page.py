"""What the pages say of an undo: what it would do, and what it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.errors import QueryCanceled
from sqlalchemy import select

from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.row_access import shown_column, visible_rows
from qikbiz.crm.schema.registry import record_type
from qikbiz.kernel.database import db
from qikbiz.kernel.permissions import Action
from qikbiz.transfer.imports.job_steps import by_whoever_asks
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.sql import link_of
from qikbiz.transfer.imports.undo_rules import EDITED, LATER, UNREACHED, USED, Preview, preview

NAMED = 100
# What a page may wait for the counting; a larger import is undone without it.
_LONGEST_MS = 5_000
REASONS = {
    EDITED: "edited since",
    LATER: "changed by a later import",
    USED: "used by newer records",
    UNREACHED: "you may not change",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that an undo leaves as it is."""

    id: UUID
    name: str
    reason: str


def undo_facts(found: Import) -> dict[str, object]:
    """What an undo would do now; `plan` is None where counting it would take too long."""
    plan = _counted(found)
    kept = [(number, REASONS[why]) for why, number in plan.kept.items() if number] if plan else []
    return {"found": found, "plan": plan, "kept": kept, "named": named_records(found, plan.named if plan else [])}


def kept_facts(found: Import) -> dict[str, object]:
    """What the last undo kept."""
    reasons = found.undo_counts.get("kept_why", {})
    return {
        "kept": [(number, REASONS[why]) for why, number in reasons.items()],
        "named": named_records(found, found.undo_counts.get("kept_records", [])),
        "can_undo_more": found.state == "undone" and bool(found.undo_counts.get("kept")),
    }


def named_records(found: Import, named: Sequence[dict[str, str]]) -> list[Kept]:
    """The first of these records by name, as far as this person may see them."""
    known = visible_type(record_type(found.record_type))
    reasons = {UUID(one["id"]): REASONS[one["why"]] for one in named[:NAMED]}
    model = known.model
    columns = [shown_column(known, name) for name in ("id", *known.name_columns)]
    query = select(*columns).where(model.id.in_(list(reasons)), *visible_rows(known, Action.SEE))
    rows = db.session.execute(query.order_by(model.sort_name, model.id)).all()
    return [Kept(row.id, known.name_of(_whole(found, row._asdict())), reasons[row.id]) for row in rows]


def _whole(found: Import, columns: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(record_type(found.record_type).name_columns) | columns


def _counted(found: Import) -> Preview | None:
    link = link_of(db.session())
    try:
        with db.session.begin_nested():
            link.execute(f"SET LOCAL statement_timeout = {_LONGEST_MS}")
            counted = preview(link, record_type(found.record_type), by_whoever_asks(found))
            link.execute(f"SET LOCAL statement_timeout = {2 * _LONGEST_MS}")
    except QueryCanceled:
        return None
    return counted
