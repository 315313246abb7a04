"""The import wizard, its reports, and the list of imports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import FileStorage

from qikbiz.audit.page_reads import part_of, record_page
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import RECORD_TYPES, record_type
from qikbiz.kernel.access import access
from qikbiz.kernel.database import application, tenant_transaction
from qikbiz.kernel.errors import Forbidden
from qikbiz.kernel.permissions import Action, Permission
from qikbiz.transfer.imports import actions, import_context, queries, wizard
from qikbiz.transfer.imports.cell_choices import UnknownValue, cell_facts, policy_from
from qikbiz.transfer.imports.csv_dialect import DELIMITERS, ENCODINGS, UnreadableFile
from qikbiz.transfer.imports.failed_rows import failed_rows, rows_with_skipped_cells
from qikbiz.transfer.imports.forms import FormatForm, UndoForm, UploadForm, mapping_from, options_from
from qikbiz.transfer.imports.mapping import UnusableMapping
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.undo_page import undo_facts
from qikbiz.transfer.imports.visibility import require_whole_file, visible_cells
from qikbiz.web.flash import show_toast
from qikbiz.web.fragments import render_page
from tenants.context import Tenant, current_tenant
from tenants.control import new_id

imports = Blueprint("imports", __name__, url_prefix="/imports", template_folder="templates")


@imports.get("/")
@access(Permission.IMPORT_SEE)
def index() -> ResponseReturnValue:
    before = request.args.get("before", type=UUID)
    found = queries.recent_imports(before=before)
    types = _choices() if current_user.can(Permission.IMPORT_APPLY) else []
    lines = [wizard.line_of(one) for one in found]
    return render_page("imports/index.html", "imports", lines=lines, page=queries.PAGE, types=types)


@imports.get("/new")
@access(Permission.IMPORT_APPLY)
def new() -> ResponseReturnValue:
    asked = record_type(request.args.get("type") or next(iter(_types()))).plural
    if asked not in _types():
        raise Forbidden(f"Your role does not allow you to import {asked}.")
    return _upload_page(asked)


@imports.post("/")
@access(Permission.IMPORT_APPLY)
def create() -> ResponseReturnValue:
    form = UploadForm.sent()
    type_name = record_type(form.type.data or next(iter(RECORD_TYPES))).plural
    given = request.files.get("file")
    if given is None or not given.filename:
        return _upload_page(type_name, "Choose a file."), 400
    try:
        found = _start(form.given_id(), type_name, given)
    except UnreadableFile as problem:
        return _upload_page(type_name, problem.text), 400
    return redirect(wizard.place_of(found), 303)


@imports.get("/<uuid:import_id>/format")
@access(Permission.IMPORT_APPLY)
def shape(import_id: UUID) -> ResponseReturnValue:
    return _format_page(queries.import_within_reach(import_id))


@imports.post("/<uuid:import_id>/format")
@access(Permission.IMPORT_APPLY)
def choose_shape(import_id: UUID) -> ResponseReturnValue:
    found, form = queries.import_within_reach(import_id, for_change=True), FormatForm.sent()
    require_whole_file(found)
    try:
        actions.choose_format(
            found,
            encoding=form.encoding.text,
            delimiter={"tab": "\t"}.get(form.delimiter.text, form.delimiter.text),
            has_header=form.has_header.data,
            is_formula_safe=form.is_formula_safe.data,
            header_row=form.heading_row,
        )
    except UnreadableFile as problem:
        return _format_page(found, problem.text), 400
    if form.act.text == "preview":
        return redirect(url_for(".shape", import_id=import_id), 303)
    return redirect(url_for(".columns", import_id=import_id), 303)


@imports.get("/<uuid:import_id>/columns")
@access(Permission.IMPORT_APPLY)
def columns(import_id: UUID) -> ResponseReturnValue:
    found = queries.import_within_reach(import_id)
    if not found.header:
        return redirect(url_for(".shape", import_id=import_id), 303)
    return _columns_page(found)


@imports.post("/<uuid:import_id>/columns")
@access(Permission.IMPORT_APPLY)
def choose_columns(import_id: UUID) -> ResponseReturnValue:
    found, form = queries.import_within_reach(import_id, for_change=True), request.form
    mapping = mapping_from(form, found)
    try:
        actions.choose_columns(
            found, mapping, key=form.get("key", ""), mode=form.get("mode", ""), options=options_from(form)
        )
    except (UnusableMapping, UnreadableFile) as problem:
        # What was chosen stays chosen.
        found.mapping = mapping.as_json()
        return _columns_page(found, problem.text), 400
    if queries.same_import_before(found) and not form.get("again"):
        return _columns_page(found)
    actions.ask_check(found)
    return redirect(url_for(".show", import_id=import_id), 303)


@imports.get("/<uuid:import_id>")
@access(Permission.IMPORT_SEE)
def show(import_id: UUID) -> ResponseReturnValue:
    found = queries.import_within_reach(import_id)
    return render_page("imports/show.html", "standing", **wizard.standing_of(found))


@imports.get("/<uuid:import_id>/cells")
@access(Permission.IMPORT_APPLY)
def cells(import_id: UUID) -> ResponseReturnValue:
    """What becomes of cells that can't be read, column by column."""
    return _cells_page(queries.import_within_reach(import_id))


@imports.post("/<uuid:import_id>/cells")
@access(Permission.IMPORT_APPLY)
def choose_cells(import_id: UUID) -> ResponseReturnValue:
    found = queries.import_within_reach(import_id, for_change=True)
    try:
        chosen = policy_from(request.form, found)
    except UnknownValue as problem:
        return _cells_page(found, problem.text), 400
    actions.choose_cell_policy(found, chosen)
    actions.ask_check(found)
    return redirect(url_for(".show", import_id=import_id), 303)


@imports.get("/<uuid:import_id>/updates")
@access(Permission.IMPORT_SEE)
def updates(import_id: UUID) -> ResponseReturnValue:
    """Every record that would change, old → new."""
    return _report_page(import_id, "updates", wizard.updates_of)


@imports.get("/<uuid:import_id>/refused")
@access(Permission.IMPORT_SEE)
def refused(import_id: UUID) -> ResponseReturnValue:
    """Every row that can't be imported, and why."""
    return _report_page(import_id, "refused", wizard.refused_of)


@imports.get("/<uuid:import_id>/refused.csv")
@access(Permission.IMPORT_SEE)
def refused_file(import_id: UUID) -> ResponseReturnValue:
    return _rows_file(import_id, failed_rows, "not-imported", "refused_rows_fetched")


@imports.get("/<uuid:import_id>/skipped")
@access(Permission.IMPORT_SEE)
def skipped(import_id: UUID) -> ResponseReturnValue:
    """Every cell that rows come in without, and why."""
    return _report_page(import_id, "skipped", wizard.skipped_of)


@imports.get("/<uuid:import_id>/skipped.csv")
@access(Permission.IMPORT_SEE)
def skipped_file(import_id: UUID) -> ResponseReturnValue:
    return _rows_file(import_id, rows_with_skipped_cells, "skipped-cells", "skipped_cells_fetched")


@imports.post("/<uuid:import_id>/check")
@access(Permission.IMPORT_APPLY)
def check(import_id: UUID) -> ResponseReturnValue:
    actions.ask_check(queries.import_within_reach(import_id, for_change=True))
    return redirect(url_for(".show", import_id=import_id), 303)


@imports.post("/<uuid:import_id>/application")
@access(Permission.IMPORT_APPLY)
def apply(import_id: UUID) -> ResponseReturnValue:
    actions.ask_apply(queries.import_within_reach(import_id, for_change=True))
    return redirect(url_for(".show", import_id=import_id), 303)


@imports.get("/<uuid:import_id>/undo")
@access(Permission.IMPORT_UNDO)
def ask_undo(import_id: UUID) -> ResponseReturnValue:
    """What undoing would take back and what it would leave, before it is asked for."""
    found = queries.import_within_reach(import_id)
    if found.state not in ("applied", "undone"):
        return redirect(url_for(".show", import_id=import_id), 303)
    return render_template("imports/undo.html", **undo_facts(found))


@imports.post("/<uuid:import_id>/undo")
@access(Permission.IMPORT_UNDO)
def undo(import_id: UUID) -> ResponseReturnValue:
    found = queries.import_within_reach(import_id, for_change=True)
    actions.ask_undo(found, anyway=UndoForm.sent().anyway.data)
    return redirect(url_for(".show", import_id=import_id), 303)


@imports.post("/<uuid:import_id>/cancellation")
@access(Permission.IMPORT_APPLY)
def call_off(import_id: UUID) -> ResponseReturnValue:
    found = queries.import_within_reach(import_id, for_change=True)
    was_undoing = found.state == "undoing"
    if actions.call_off(found):
        show_toast(f"Cancelled. Nothing was {'undone' if was_undoing else 'imported'}.")
    else:
        show_toast("It is already done, so it could not be cancelled.", kind="notice")
    return redirect(url_for(".show", import_id=import_id), 303)


def _start(import_id: UUID, type_name: str, given: FileStorage) -> Import:
    return actions.start_import(import_id, type_name, given.filename or "", given.stream)


def _upload_page(type_name: str, problem: str = "") -> str:
    return render_template(
        "imports/new.html", type_name=type_name, types=_choices(), import_id=new_id(), problem=problem
    )


def _choices() -> list[tuple[str, str, str]]:
    """(plural, label, what a file of them holds) of each type that this user may import."""
    return [(plural, kind.plural_label, kind.file_hint) for plural, kind in _types().items()]


def _types() -> dict[str, RecordType]:
    """What this person may import."""
    rights = current_user.rights
    return {plural: kind for plural, kind in RECORD_TYPES.items() if rights.scope(kind.name, Action.IMPORT)}


def _format_page(found: Import, problem: str = "") -> str:
    facts = wizard.format_facts(found)
    return render_template("imports/format.html", encodings=ENCODINGS, delimiters=DELIMITERS, problem=problem, **facts)


def _columns_page(found: Import, problem: str = "") -> str:
    return render_template("imports/columns.html", problem=problem, **wizard.column_facts(found))


def _cells_page(found: Import, problem: str = "") -> str:
    facts = cell_facts(found) | {"way": wizard.steps_of(found)}
    return render_template("imports/cells.html", problem=problem, **facts)


def _report_page(import_id: UUID, name: str, read: Any) -> str:
    found = queries.import_within_reach(import_id)
    page = read(found, after=request.args.get("after", 0, type=int))
    record_page("import", found.record_type, shown=len(page.rows), part=part_of(request.args))
    return render_template(f"imports/{name}.html", page=page, **wizard.standing_of(found))


def _rows_file(import_id: UUID, rows: Any, name: str, act: str) -> ResponseReturnValue:
    found = queries.import_within_reach(import_id)
    import_context.source_of(found)
    actions.record_event(found, act, {})
    pieces = _in_context(rows(import_id, _transactions(current_tenant()), visible_cells(found)))
    headers = {"Content-Disposition": f'attachment; filename="{name}-{found.id.hex[-6:]}.csv"'}
    return current_app.response_class(pieces, mimetype="text/csv", headers=headers)


def _transactions(tenant: Tenant) -> object:
    @contextmanager
    def transaction() -> Iterator[object]:
        with tenant_transaction(tenant) as session:
            yield session

    return transaction


def _in_context(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces are made while they are sent, after the request's own transaction has ended."""
    app = application()

    def sent() -> Iterator[bytes]:
        with app.app_context():
            yield from pieces

    return sent()
