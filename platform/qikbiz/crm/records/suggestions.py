"""What could be meant while somebody types, in lists and in the search of everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import render_template, request
from sqlalchemy import Row, select

from qikbiz.audit.page_reads import record_page
from qikbiz.crm.records.row_access import shown_column, visible_rows
from qikbiz.crm.records.search_condition import search_condition
from qikbiz.crm.records.search_fallback import search_with_fallback
from qikbiz.crm.records.views import RecordViews
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import RECORD_TYPES, references_to
from qikbiz.kernel.database import db
from qikbiz.kernel.permissions import Action

MOST_SUGGESTIONS = 8


def show_suggestions(views: RecordViews) -> str:
    """Options for the list under a field."""
    record_type = views.record_type
    typed = next((request.args[name] for name in _typed_in() if request.args.get(name)), "")
    found = best_matches(record_type, typed, MOST_SUGGESTIONS)
    if found:
        record_page("suggestions", record_type.name, shown=len(found))
    texts = [references_to(record_type.name).text(row) for row in found]
    return render_template("records/suggestions.html", texts=texts)


def best_matches(record_type: RecordType, typed: str, limit: int) -> Sequence[Row[Any]]:
    """Living records within reach that the words find, by name. `record_type` is as the person knows it."""
    if not typed.strip():
        return []
    columns = record_type.model.__table__.c
    wanted = dict.fromkeys(("id", *record_type.name_columns, "email", *record_type.hints))
    shown = [shown_column(record_type, name) for name in wanted if name not in record_type.hidden]
    query = select(*shown).where(
        columns.deleted_at.is_(None), search_condition(record_type, typed), *visible_rows(record_type, Action.SEE)
    )
    ordered = query.order_by(columns.sort_name, columns.id).limit(limit)
    return search_with_fallback(db.session(), lambda: db.session.execute(ordered).all())


def hint_of(record_type: RecordType, row: Row[Any]) -> str:
    """What tells the row apart from another one of its name, as far as this user may know it."""
    return next((hint for name in record_type.hints if (hint := getattr(row, name, None))), "")


def _typed_in() -> list[str]:
    """The field that is being typed in sends its own name."""
    return ["q", *(field.name for kind in RECORD_TYPES.values() for field in kind.fields if field.references)]
