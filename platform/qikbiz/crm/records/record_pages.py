"""One record: its page, and changing one field in place."""

from __future__ import annotations

import json
from uuid import UUID

from flask import abort, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.crm.records.access import openings_of, viewers_of
from qikbiz.crm.records.actions import name_of, record_for_changing, record_for_reading
from qikbiz.crm.records.field_access import locked_type
from qikbiz.crm.records.forms import FormField, RecordForm
from qikbiz.crm.records.history import note_reading, timeline
from qikbiz.crm.records.links import linked_name
from qikbiz.crm.records.owners import colleague_names, possible_owners, with_current_owner
from qikbiz.crm.records.row_access import require_access, shown_record, unseen_links
from qikbiz.crm.records.views import RecordViews
from qikbiz.crm.schema.field import Field, Showing
from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.normalize import with_plain_line_ends
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import menu_of, panels_of
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.kernel.errors import Forbidden, NotFound
from qikbiz.kernel.permissions import Action, Permission
from qikbiz.web.fragments import render_page

TABS = ("timeline", "details", "access")


def show_record(views: RecordViews, record_id: UUID) -> ResponseReturnValue:
    """The record's page; that it was read is audited."""
    found = record_for_reading(views.record_type, record_id, in_trash=views.may_delete)
    known = shown_record(views.record_type, found)
    note_reading(views.record_type, found)
    people = colleague_names()
    tab = request.args.get("tab", TABS[0])
    if tab not in TABS:
        abort(404)
    access = _access(views.declared, found) if tab == "access" else {}
    moments, more = timeline(views.record_type, found, people, request.args.get("before", type=UUID))
    return render_page(
        "records/record.html",
        "timeline",
        **record_context(views, found),
        people=people,
        tab=tab,
        moments=moments,
        more=more,
        shown=lambda field: field.describe(getattr(known, field.name), Showing(people, linked_name)),
        subtitle=views.declared.subtitle(known),
        panels=panels_of(views.declared.name, found.id),
        menu_entries=[entry for entry in menu_of(views.declared.name) if current_user.can(entry.permission)],
        **access,
    )


def _access(record_type: RecordType, found: Record) -> dict[str, object]:
    """Who can see it, for everybody who can; who opened it, for those who may read the audit."""
    if current_user.kind != "user":
        raise Forbidden("Only the organisation's own users can see who has access to a record.")
    may_read = current_user.can(Permission.AUDIT_SEE)
    openings = openings_of(record_type, found.id) if may_read else ()
    return {"viewers": viewers_of(record_type, found.owner_id), "openings": openings, "may_read_audit": may_read}


def record_context(views: RecordViews, found: Record) -> dict[str, object]:
    """What every page about one record needs."""
    known = shown_record(views.record_type, found)
    return {
        "views": views,
        "record_type": type_for(views, found),
        "record": known,
        "name": name_of(views.record_type, known),
        "may_change": views.may_change and views.reaches("change", found),
        "may_delete": views.may_delete and views.reaches("delete", found),
        "nav_active": views.plural,
        "url": views.url("show", record_id=found.id),
    }


def type_for(views: RecordViews, found: Record) -> RecordType:
    """The type as this person knows it, with links to what may not be seen locked: saving would tear them off."""
    unseen = unseen_links(views.declared, found)
    return locked_type(views.record_type, unseen) if unseen else views.record_type


def edit_field(views: RecordViews, record_id: UUID, name: str) -> ResponseReturnValue:
    """The small form that takes a field's place, or with ?cancel the field as it is."""
    found = record_for_reading(views.record_type, record_id)
    require_access(views.record_type, found, Action.CHANGE)
    field = _field_in_place(views, found, name)
    if "cancel" in request.args:
        return _fact(views, found, field)
    form = RecordForm(type_for(views, found))
    form.fill_from(found)
    return _field_form(views, found, form, name)


def save_field(views: RecordViews, record_id: UUID, name: str) -> ResponseReturnValue:
    """Write one field. When somebody else changed it meanwhile, both values are shown and nothing is written."""
    found = record_for_changing(views.record_type, record_id)
    field = _field_in_place(views, found, name)
    form = RecordForm(type_for(views, found))
    form.read_one(name, extra=frozenset({"was"}))
    if not form.validate_one(name, found):
        return _field_form(views, found, form, name), 422
    if found.version != form.version and not _is_same(form.beside.get("was", ""), _typed_now(views, found, name)):
        return _field_form(views, found, form, name, theirs=field.describe(getattr(found, name), _showing())), 409
    try:
        changes = views.change(found, form.values)
    except FieldProblem as problem:
        form[name].errors.append(str(problem))
        return _field_form(views, found, form, name), 422
    response = make_response(_fact(views, found, field))
    response.headers["HX-Trigger"] = _said(f"{field.label} saved." if changes else "Nothing was changed.")
    return response


def _said(text: str) -> str:
    """The header that has the timeline read anew, and `text` shown and read aloud. ASCII, as headers are."""
    return json.dumps({"record-changed": None, "toast": {"text": text}})


def _field_in_place(views: RecordViews, found: Record, name: str) -> Field:
    field = type_for(views, found).field(name)
    if field.is_locked:
        raise Forbidden(f"{field.label} is read-only for you.")
    if not field.is_editable or field.part:
        raise NotFound("Change this field on the edit page.")
    return field


def _is_same(text: str, other: str) -> bool:
    return with_plain_line_ends(text) == with_plain_line_ends(other)


def _typed_now(views: RecordViews, found: Record, name: str) -> str:
    form = RecordForm(type_for(views, found))
    form.fill_from(found)
    return form[name].text


def _fact(views: RecordViews, found: Record, field: Field) -> str:
    shown = field.describe(getattr(shown_record(views.record_type, found), field.name), _showing())
    return render_template("records/fact.html", **record_context(views, found), field=field, text=shown)


def _field_form(views: RecordViews, found: Record, form: RecordForm, name: str, *, theirs: str | None = None) -> str:
    item: FormField = form[name]
    return render_template(
        "records/fact_form.html",
        **record_context(views, found),
        item=item,
        version=found.version,
        was=_typed_now(views, found, name),
        theirs=theirs,
        people=with_current_owner(possible_owners(), found) if item.field.names_user else {},
    )


def _showing() -> Showing:
    return Showing(colleague_names(), linked_name)
