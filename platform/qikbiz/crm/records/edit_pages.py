"""The form of a record: new, edit, and what to do when two people edited the same one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar
from uuid import UUID

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.crm.records.actions import (
    ChangedMeanwhile,
    record_for_changing,
    record_for_reading,
    require_version,
)
from qikbiz.crm.records.conflicts import Comparison, compare, settled
from qikbiz.crm.records.forms import RecordForm, given_id
from qikbiz.crm.records.history import note_reading
from qikbiz.crm.records.links import linked_name
from qikbiz.crm.records.owners import colleague_names, possible_owners, with_current_owner
from qikbiz.crm.records.record_pages import record_context, type_for
from qikbiz.crm.records.row_access import require_access
from qikbiz.crm.records.views import RecordViews
from qikbiz.crm.schema.field import Showing
from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.kernel.database import db
from qikbiz.kernel.permissions import Action
from qikbiz.web.flash import show_toast
from tenants.control import new_id

CHOICE = "choice-"

Outcome = TypeVar("Outcome")


def new_record(views: RecordViews) -> ResponseReturnValue:
    """An empty form; fields in the address are filled in, such as the company from whose page one comes."""
    form = RecordForm(views.record_type)
    for name, text in request.args.items():
        if name in form.fields and not form[name].is_list:
            form[name].text = text
    return _form_page(views, form)


def create(views: RecordViews) -> ResponseReturnValue:
    """Save a new record, or show what must be mended. The same form again (its answer was lost) is the same record."""
    record_id = given_id() or new_id()
    known = db.session.get(views.declared.model, record_id)
    if known is not None and known.created_by == current_user.id:
        return redirect(views.url("show", record_id=known.id), 303)
    form = RecordForm(views.record_type)
    form.read()
    # An id that somebody else's record has was not given by our form.
    given = record_id if known is None else new_id()
    created = _saved(form, lambda: views.create(form.values, given)) if form.validate() else None
    if created is None:
        return _form_page(views, form), 422
    show_toast(f"{views.record_type.label} saved.")
    views.after_save(created)
    return redirect(views.url("show", record_id=created.id), 303)


def edit_record(views: RecordViews, record_id: UUID) -> ResponseReturnValue:
    """The form with what the record holds."""
    found = record_for_reading(views.record_type, record_id)
    require_access(views.record_type, found, Action.CHANGE)
    note_reading(views.record_type, found)
    form = RecordForm(type_for(views, found))
    form.fill_from(found)
    return _form_page(views, form, found)


def save_record(views: RecordViews, record_id: UUID) -> ResponseReturnValue:
    """Save an edit; when somebody else was quicker, show both edits and write nothing."""
    found = record_for_changing(views.record_type, record_id)
    form = RecordForm(type_for(views, found))
    form.read(extra=_choices_allowed(form))
    if not form.validate(found):
        return _form_page(views, form, found), 422
    try:
        require_version(found, form.version)
    except ChangedMeanwhile:
        return _conflict_page(views, found, form), 409
    return _write(views, found, form, form.values)


def settle_conflict(views: RecordViews, record_id: UUID) -> ResponseReturnValue:
    """Save an edit after the person decided, for each field that both changed, whose value stands."""
    found = record_for_changing(views.record_type, record_id)
    form = RecordForm(type_for(views, found))
    form.read(extra=_choices_allowed(form) | {"now"})
    if not form.validate(found):
        return _form_page(views, form, found), 422
    comparison = compare(views.record_type, found, form.version, form.values)
    choices = {name.removeprefix(CHOICE): text for name, text in form.beside.items() if name.startswith(CHOICE)}
    values = settled(comparison, form.values, choices)
    # A third edit may have come in between: what was decided is then decided on something old.
    if values is None or form.beside.get("now") != str(found.version):
        return _conflict_page(views, found, form, choices), 409
    return _write(views, found, form, values)


def _write(views: RecordViews, found: Record, form: RecordForm, values: Mapping[str, object]) -> ResponseReturnValue:
    changes = _saved(form, lambda: views.change(found, values))
    if changes is None:
        return _form_page(views, form, found), 422
    show_toast("Saved." if changes else "Nothing was changed.")
    if changes:
        views.after_save(found)
    return redirect(views.url("show", record_id=found.id), 303)


def _saved(form: RecordForm, act: Callable[[], Outcome]) -> Outcome | None:
    try:
        return act()
    except FieldProblem as problem:
        form.form_errors.append(str(problem))
        return None


def _form_page(views: RecordViews, form: RecordForm, found: Record | None = None) -> str:
    about = record_context(views, found) if found else {"views": views, "record_type": views.record_type}
    return render_template(
        "records/form.html",
        **{"nav_active": views.plural, **about},
        form=form,
        people=_owners_to_choose(views, found),
        once=given_id() or new_id(),
    )


def _owners_to_choose(views: RecordViews, found: Record | None) -> dict[UUID, str]:
    action, name = Action.CHANGE if found else Action.CREATE, views.declared.name
    reached = {id_: who for id_, who in possible_owners().items() if current_user.rights.reaches(name, action, id_)}
    return with_current_owner(reached, found)


def _conflict_page(views: RecordViews, found: Record, form: RecordForm, choices: dict[str, str] | None = None) -> str:
    comparison: Comparison = compare(views.record_type, found, form.version, form.values)
    showing = Showing(colleague_names(), linked_name)
    return render_template(
        "records/conflict.html",
        **record_context(views, found),
        form=form,
        comparison=comparison,
        choices=choices or {},
        clashing={clash.field.name for clash in comparison.clashes},
        shown=lambda field, value: field.describe(value, showing),
    )


def _choices_allowed(form: RecordForm) -> frozenset[str]:
    return frozenset(f"{CHOICE}{name}" for name in form.fields)
