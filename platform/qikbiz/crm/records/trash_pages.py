"""Deleting and bringing back. What is in the trash is only gone when an administrator says so by typing its name."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from qikbiz.audit.page_reads import part_of, record_page
from qikbiz.crm.records.actions import (
    MOST_AT_ONCE,
    delete_records,
    name_of,
    purge_record,
    record_for_changing,
    restore_records,
)
from qikbiz.crm.records.list_forms import PurgeForm
from qikbiz.crm.records.list_pages import undo_url
from qikbiz.crm.records.owners import colleague_names
from qikbiz.crm.records.pagination import Order, fetch_page, with_cursor
from qikbiz.crm.records.row_access import shown_column, visible_rows
from qikbiz.crm.records.views import RecordViews
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Action, record_permission
from qikbiz.kernel.reading_direction import one_way
from qikbiz.web.flash import show_toast
from qikbiz.web.formats import count
from qikbiz.web.navigation import path_of

PAGE_SIZE = 50


def delete_one(views: RecordViews, record_id: UUID) -> ResponseReturnValue:
    """Move one record to the trash; the message offers to undo it."""
    record_for_changing(views.record_type, record_id, action=Action.DELETE)
    moved = delete_records(views.record_type, [record_id])
    show_toast(f"{views.record_type.label} moved to the trash.", undo_url=undo_url(views, moved))
    return redirect(views.url("index"), 303)


def restore_several(views: RecordViews) -> ResponseReturnValue:
    """Bring records back: from the message's Undo, or from the trash."""
    restored = restore_records(views.record_type, _ids(request.args.get("ids", "")))
    words = count(len(restored), views.record_type.label.lower())
    show_toast(f"Restored {words}." if restored else "Already restored.")
    where = views.url("show", record_id=restored[0]) if len(restored) == 1 else views.url("index")
    return redirect(where, 303)


def show_trash(views: RecordViews) -> ResponseReturnValue:
    """What was deleted, the latest first."""
    columns = views.record_type.model.__table__.c
    order = Order("deleted", columns.id, columns.deleted_at, is_descending=True)
    names = (shown_column(views.record_type, name) for name in ("id", *views.record_type.name_columns))
    wanted = (columns.deleted_at.is_not(None), *visible_rows(views.record_type, Action.DELETE))
    query = select(*names, columns.deleted_at, columns.deleted_by).where(*wanted)
    after, before = request.args.get("after", ""), request.args.get("before", "")
    page = fetch_page(db.session(), with_cursor(query, order), order, after=after, before=before, limit=PAGE_SIZE)
    record_page("trash", views.record_type.name, shown=len(page.rows), part=part_of(request.args))
    return render_template(
        "records/trash.html",
        views=views,
        record_type=views.record_type,
        nav_active="trash",
        page=page,
        rows=[(row, _name(views.record_type, row._asdict())) for row in page.rows],
        people=colleague_names(),
        trashes=[
            (kind.plural, kind.plural_label, path_of(f"{kind.plural}.trash"))
            for kind in RECORD_TYPES.values()
            if current_user.can(record_permission(kind.name, Action.DELETE))
        ],
    )


def confirm_purge(views: RecordViews, record_id: UUID) -> ResponseReturnValue:
    """Ask for the name before removing for good."""
    found = record_for_changing(views.record_type, record_id, in_trash=True, action=Action.DELETE)
    name = name_of(views.record_type, found)
    return render_template(
        "records/purge.html", views=views, record_type=views.record_type, nav_active="trash", record=found, name=name
    )


def purge(views: RecordViews, record_id: UUID) -> ResponseReturnValue:
    """Remove one record in the trash for good."""
    found = record_for_changing(views.record_type, record_id, in_trash=True, action=Action.DELETE)
    name = name_of(views.record_type, found)
    if one_way(PurgeForm.sent().typed.text).strip() != one_way(name).strip():
        raise Failure("The name you entered is not the name of the record. Nothing was deleted.")
    purge_record(views.record_type, found)
    show_toast(f"{name} was permanently deleted.")
    return redirect(views.url("trash"), 303)


def _ids(text: str) -> list[UUID]:
    try:
        return [UUID(hex=part) for part in text.split(".")[:MOST_AT_ONCE] if part]
    except ValueError:
        raise Failure("This link to restore records is incomplete.") from None


def _name(record_type: RecordType, row: dict[str, object]) -> str:
    return record_type.name_of(row)
