"""The list of a record type: page, filters, choice of columns, acts on several rows, suggestions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.audit.actions import Changes
from qikbiz.audit.page_reads import part_of, record_page
from qikbiz.crm.records.actions import delete_records, records_for_changing
from qikbiz.crm.records.active_filters import address, chips
from qikbiz.crm.records.links import linked_columns
from qikbiz.crm.records.list_forms import ColumnsForm, SeveralForm
from qikbiz.crm.records.listing import chosen_fields, filter_names, first, list_page, sortable
from qikbiz.crm.records.owners import colleague_names_for_lists, possible_owners
from qikbiz.crm.records.table_html import heading_class, table_rows
from qikbiz.crm.records.views import RecordViews
from qikbiz.crm.schema.field import PLAIN, Viewer
from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.identity.accounts.preferences import save_preference
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure, Forbidden
from qikbiz.web.csrf import csrf_token
from qikbiz.web.flash import show_toast
from qikbiz.web.formats import count
from qikbiz.web.fragments import render_page
from qikbiz.web.viewer import time_zone

Outcome = TypeVar("Outcome")


def show_list(views: RecordViews) -> ResponseReturnValue:
    """A page of the list, or for htmx its rows only."""
    arguments = request.args.to_dict(flat=False)
    if "" in request.args.values() and "HX-Request" not in request.headers:
        # A filter form sends also what was left empty; the address that people keep and send on is a short one.
        return redirect(address(request.path, arguments))
    record_type = views.record_type
    fields = chosen_fields(record_type, current_user.preferences)
    page = list_page(db.session(), record_type, fields, arguments, viewpoint())
    record_page(
        "list",
        record_type.name,
        shown=len(page.rows),
        filters=filter_names(record_type, arguments),
        part=part_of(request.args),
    )
    people = colleague_names_for_lists()
    path = request.path
    return render_page(
        "records/list.html",
        "list",
        views=views,
        record_type=record_type,
        nav_active=views.plural,
        page=page,
        columns=[(field, heading_class(field)) for field in fields],
        rows=table_rows(record_type, fields, page.rows, people, has_ticks=views.may_change),
        people=people,
        q=first(arguments, "q"),
        chips=chips(record_type, arguments, path, people),
        keep=_kept(arguments),
        sortable=sortable(record_type),
        sort_address=lambda sort: address(path, arguments, sort=sort),
        previous_url=address(path, arguments, before=page.previous) if page.previous else "",
        next_url=address(path, arguments, after=page.next) if page.next else "",
        here=address(path, arguments),
        token=csrf_token(),
        export_url=address(url_for("exports.new"), arguments, scope=views.plural),
        listable=record_type.listable(),
        shown={field.name for field in fields},
    )


def show_filters(views: RecordViews) -> ResponseReturnValue:
    """Every filter this list can have; stands in a menu, or is a page where there is no JavaScript."""
    arguments = request.args.to_dict(flat=False)
    return render_page(
        "records/filters.html",
        "filters",
        views=views,
        record_type=views.record_type,
        nav_active=views.plural,
        arguments={name: texts[0] for name, texts in arguments.items()},
        choices=_choices(views.record_type),
    )


def choose_columns(views: RecordViews) -> ResponseReturnValue:
    """Remember which columns this person wants to see."""
    known = {field.name for field in views.record_type.listable()}
    form = ColumnsForm.sent()
    wanted = [name for name in form.columns.texts if name in known]
    saved = current_user.preferences.get("columns")
    save_preference("columns", {**(saved if isinstance(saved, dict) else {}), views.plural: wanted})
    return redirect(views.url("index") + form.query)


def change_several(views: RecordViews) -> ResponseReturnValue:
    """Do one act to all ticked rows."""
    form = SeveralForm.sent()
    ids = form.record_ids()
    if not ids:
        show_toast("Select some rows first.", kind="notice")
    elif form.act.text not in _ACTS:
        raise Failure("This action is not available for several rows.")
    else:
        _ACTS[form.act.text](views, ids, form)
    return redirect(views.url("index") + form.query)


def _choices(record_type: RecordType) -> dict[str, list[tuple[str, str]]]:
    """What can be chosen for each filter that is a choice, as (value, words)."""
    owners = possible_owners()
    return {
        field.name: field.filter_options(owners)
        for field in record_type.filterable()
        if field.filter_control == "select"
    }


def viewpoint() -> Viewer:
    return Viewer(current_user.rights, time_zone())


def undo_url(views: RecordViews, ids: list[UUID]) -> str:
    return views.url("restore", ids=".".join(ident.hex for ident in ids))


def _delete(views: RecordViews, ids: list[UUID], _form: SeveralForm) -> None:
    if not views.may_delete:
        raise Forbidden
    moved = delete_records(views.record_type, ids)
    words = count(len(moved), views.record_type.label.lower())
    show_toast(
        f"Moved {words} to the trash.{_left_alone(ids, moved)}", undo_url=undo_url(views, moved) if moved else ""
    )


def _tag(views: RecordViews, ids: list[UUID], form: SeveralForm) -> None:
    new = _parsed_tags(views, form)
    _change_each(views, ids, lambda record: {"tags": [*record.tags, *(tag for tag in new if tag not in record.tags)]})


def _untag(views: RecordViews, ids: list[UUID], form: SeveralForm) -> None:
    old = _parsed_tags(views, form)
    _change_each(views, ids, lambda record: {"tags": [tag for tag in record.tags if tag not in old]})


def _give(views: RecordViews, ids: list[UUID], form: SeveralForm) -> None:
    field = views.record_type.field("owner_id")
    columns = _or_failure(lambda: linked_columns(field, field.parse(form.owner_id.text), None))
    _change_each(views, ids, lambda _record: columns)


_ACTS = {"delete": _delete, "tag": _tag, "untag": _untag, "owner": _give}


def _change_each(views: RecordViews, ids: list[UUID], values: Callable[[Record], Mapping[str, object]]) -> None:
    if not views.may_change:
        raise Forbidden
    records = records_for_changing(views.record_type, ids)

    def change(record: Record) -> Changes:
        return views.change(record, values(record))

    changed = [record for record in records if _or_failure(partial(change, record))]
    show_toast(f"Changed {count(len(changed), views.record_type.label.lower())}.{_left_alone(ids, records)}")


def _left_alone(ids: list[UUID], reached: Sequence[object]) -> str:
    left = len(set(ids)) - len(reached)
    return f" {left} could not be changed: deleted, or not allowed by your role." if left else ""


def _parsed_tags(views: RecordViews, form: SeveralForm) -> list[str]:
    field = views.record_type.field("tags")
    tags: list[str] = _or_failure(lambda: field.parse(form.tag.text, PLAIN))
    if not tags:
        raise Failure("Enter a tag.")
    return tags


def _or_failure(act: Callable[[], Outcome]) -> Outcome:
    try:
        return act()
    except FieldProblem as problem:
        raise Failure(str(problem)) from None


def _kept(arguments: dict[str, list[str]]) -> list[tuple[str, str]]:
    """What a new search carries along: everything but itself and the page."""
    gone = ("q", "after", "before")
    return [(name, text) for name, texts in arguments.items() if name not in gone for text in texts if text]
