"""Pages about exports: ask for one, watch it, fetch it behind a fresh password, delete it."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.crm.records.active_filters import chips
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.owners import colleague_names
from qikbiz.crm.schema.registry import record_type
from qikbiz.identity.accounts.queries import administrators
from qikbiz.kernel.access import access
from qikbiz.kernel.errors import Forbidden
from qikbiz.kernel.permissions import Permission
from qikbiz.transfer.exports import actions
from qikbiz.transfer.exports.access import may_export, refuse_unless_exportable
from qikbiz.transfer.exports.access import may_fetch as may_have_file
from qikbiz.transfer.exports.catalogue import EVERYTHING
from qikbiz.transfer.exports.contributions import own_product
from qikbiz.transfer.exports.download import RangeNotThere, download_name, file_response, no_such_range, wanted_piece
from qikbiz.transfer.exports.emails import what
from qikbiz.transfer.exports.forms import PRODUCT_CHOICES, ExportIdForm, scopes, selection_from
from qikbiz.transfer.exports.job_steps import KEPT
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.queries import all_exports, export_within_reach
from qikbiz.transfer.exports.selection import PORTABLE, SPREADSHEET, Selection
from qikbiz.transfer.exports.sources import check
from qikbiz.web.flash import show_toast
from qikbiz.web.fragments import render_page
from qikbiz.web.user_agents import device_of_request
from tenants.control import new_id

exports = Blueprint("exports", __name__, url_prefix="/exports", template_folder="templates")
exports.add_app_template_global(what, "export_name")


@exports.get("/")
@access(Permission.EXPORT_ASK)
def index() -> ResponseReturnValue:
    return render_page("exports/index.html", "exports", standings=all_exports(), days=KEPT.days)


@exports.get("/new")
@access(Permission.EXPORT_ASK)
def new() -> ResponseReturnValue:
    """The form; with a list's filters in the address it is about that list as it is filtered."""
    # Whoever comes from a list wants to look at it.
    may_have_all = may_export(current_user.rights, EVERYTHING, PORTABLE)
    # Everything is offered to those who may have it in both forms.
    offered = [choice for choice in scopes() if may_export(current_user.rights, choice[0], PORTABLE)]
    product = PORTABLE if may_have_all and "scope" not in request.args else SPREADSHEET
    selection = selection_from(request.args, scope=offered[0][0], product=product)
    check(selection)
    refuse_unless_exportable(selection.rights, selection.scope, SPREADSHEET)
    return render_template(
        "exports/new.html",
        selection=selection,
        filters=_in_words(selection),
        scopes=offered,
        products=PRODUCT_CHOICES,
        export_id=new_id(),
        administrators=administrators(),
        days=KEPT.days,
    )


@exports.post("/")
@access(Permission.EXPORT_ASK)
def create() -> ResponseReturnValue:
    export = actions.ask_for_export(selection_from(request.form), export_id=ExportIdForm().given_id())
    return redirect(url_for(".show", export_id=export.id), 303)


@exports.get("/<uuid:export_id>")
@access(Permission.EXPORT_ASK)
def show(export_id: UUID) -> ResponseReturnValue:
    standing = export_within_reach(export_id)
    facts: dict[str, object] = {
        "standing": standing,
        "export": standing.export,
        "file_name": download_name(standing.export),
        "own": own_product(standing.export.product),
    }
    may_fetch = current_user.can(Permission.EXPORT_FETCH) and may_have_file(current_user.rights, standing.export)
    page = make_response(render_page("exports/show.html", "standing", **facts, may_fetch=may_fetch))
    if request.args.get("fetch") and may_fetch and current_user.is_fresh and standing.state == "ready":
        # The browser stays on this page while the file arrives.
        page.headers["Refresh"] = f"0; url={url_for('.file', export_id=export_id)}"
    return page


@exports.get("/<uuid:export_id>/download")
@access(Permission.EXPORT_FETCH, fresh=True)
def download(export_id: UUID) -> ResponseReturnValue:
    """Where the password is asked for, if it was given too long ago: a file alone would leave that page standing."""
    return redirect(url_for(".show", export_id=export_id, fetch=1), 303)


@exports.get("/<uuid:export_id>/file")
@access(Permission.EXPORT_FETCH, fresh=True)
def file(export_id: UUID) -> ResponseReturnValue:
    """The row is asked at every request, ranges too: ready, not expired, right still held."""
    export = export_within_reach(export_id).export
    _refuse_unless_mine_to_fetch(export)
    stored = actions.file_of(export)
    try:
        piece = wanted_piece(stored.size, export.file_sha256 or "")
    except RangeNotThere:
        return no_such_range(export, stored)
    if request.method == "GET":
        actions.note_fetch(export, first=piece.start, last=piece.end - 1, device=device_of_request())
    return file_response(export, stored, piece)


@exports.post("/<uuid:export_id>/cancellation")
@access(Permission.EXPORT_ASK)
def call_off(export_id: UUID) -> ResponseReturnValue:
    actions.call_off(export_within_reach(export_id).export)
    show_toast("Export cancelled.")
    return redirect(url_for(".index"), 303)


@exports.post("/<uuid:export_id>/deletion")
@access(Permission.EXPORT_FETCH)
def delete(export_id: UUID) -> ResponseReturnValue:
    actions.delete_export(export_within_reach(export_id).export)
    show_toast("File deleted.")
    return redirect(url_for(".show", export_id=export_id), 303)


def _refuse_unless_mine_to_fetch(export: Export) -> None:
    if not may_have_file(current_user.rights, export):
        raise Forbidden("This file contains more than your role now allows you to export. Create a new export.")


def _in_words(selection: Selection) -> list[str]:
    if selection.scope == EVERYTHING or not selection.filters:
        return []
    words = [
        text for text, _ in chips(visible_type(record_type(selection.scope)), selection.filters, "", colleague_names())
    ]
    searched = selection.filters.get("q")
    return [*words, f"Search: “{searched[0]}”"] if searched else words
