"""The addresses of contacts. Each names its permission; the pages themselves are made for every record type alike."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from qikbiz.contacts import actions
from qikbiz.contacts.actions import change_contact, create_contact
from qikbiz.contacts.fields import CONTACTS
from qikbiz.contacts.queries import companies_of
from qikbiz.permissions import Permission, requires
from qikbiz.records import edit_pages, list_pages, record_pages, trash_pages
from qikbiz.records.actions import record_for_changing
from qikbiz.records.links import company_to_link
from qikbiz.records.rooms import RecordRoom
from qikbiz.records.suggestions import render_suggestions
from qikbiz.records.values import clean_text

contacts = Blueprint("contacts", __name__, template_folder="templates", url_prefix="/contacts")
ROOM = RecordRoom(
    declared=CONTACTS,
    create_permission=Permission.CONTACT_CREATE,
    change_permission=Permission.CONTACT_CHANGE,
    delete_permission=Permission.CONTACT_DELETE,
    purge_permission=Permission.CONTACT_PURGE,
    create=create_contact,
    change=change_contact,
    icon="users",
    is_square=False,
)


@contacts.get("")
@requires(Permission.CONTACT_SEE)
def index() -> ResponseReturnValue:
    return list_pages.show_list(ROOM)


@contacts.get("/filters")
@requires(Permission.CONTACT_SEE)
def filters() -> ResponseReturnValue:
    return list_pages.show_filters(ROOM)


@contacts.post("/columns")
@requires(Permission.CONTACT_SEE)
def columns() -> ResponseReturnValue:
    return list_pages.choose_columns(ROOM)


@contacts.post("/several")
@requires(Permission.CONTACT_CHANGE)
def several() -> ResponseReturnValue:
    return list_pages.change_several(ROOM)


@contacts.get("/suggestions")
@requires(Permission.CONTACT_SEE)
def suggestions() -> ResponseReturnValue:
    return render_suggestions(ROOM.record_type)


@contacts.get("/new")
@requires(Permission.CONTACT_CREATE)
def new() -> ResponseReturnValue:
    return edit_pages.new_record(ROOM)


@contacts.post("")
@requires(Permission.CONTACT_CREATE)
def create() -> ResponseReturnValue:
    return edit_pages.create(ROOM)


@contacts.get("/trash")
@requires(Permission.CONTACT_DELETE)
def trash() -> ResponseReturnValue:
    return trash_pages.show_trash(ROOM)


@contacts.post("/restorations")
@requires(Permission.CONTACT_DELETE)
def restore() -> ResponseReturnValue:
    return trash_pages.restore_several(ROOM)


@contacts.get("/<uuid:record_id>")
@requires(Permission.CONTACT_SEE)
def show(record_id: UUID) -> ResponseReturnValue:
    if not ROOM.record_type.has_field("company_name"):
        return record_pages.show_record(ROOM, record_id)
    return record_pages.show_record(ROOM, record_id, companies=companies_of(record_id))


@contacts.get("/<uuid:record_id>/edit")
@requires(Permission.CONTACT_CHANGE)
def edit(record_id: UUID) -> ResponseReturnValue:
    return edit_pages.edit_record(ROOM, record_id)


@contacts.post("/<uuid:record_id>/edit")
@requires(Permission.CONTACT_CHANGE)
def save(record_id: UUID) -> ResponseReturnValue:
    return edit_pages.save_record(ROOM, record_id)


@contacts.post("/<uuid:record_id>/conflict")
@requires(Permission.CONTACT_CHANGE)
def settle(record_id: UUID) -> ResponseReturnValue:
    return edit_pages.settle_conflict(ROOM, record_id)


@contacts.get("/<uuid:record_id>/fields/<name>")
@requires(Permission.CONTACT_CHANGE)
def edit_field(record_id: UUID, name: str) -> ResponseReturnValue:
    return record_pages.edit_field(ROOM, record_id, name)


@contacts.post("/<uuid:record_id>/fields/<name>")
@requires(Permission.CONTACT_CHANGE)
def save_field(record_id: UUID, name: str) -> ResponseReturnValue:
    return record_pages.save_field(ROOM, record_id, name)


@contacts.post("/<uuid:record_id>/deletion")
@requires(Permission.CONTACT_DELETE)
def delete(record_id: UUID) -> ResponseReturnValue:
    return trash_pages.delete_one(ROOM, record_id)


@contacts.get("/<uuid:record_id>/removal")
@requires(Permission.CONTACT_PURGE)
def confirm_purge(record_id: UUID) -> ResponseReturnValue:
    return trash_pages.confirm_purge(ROOM, record_id)


@contacts.post("/<uuid:record_id>/removal")
@requires(Permission.CONTACT_PURGE)
def purge(record_id: UUID) -> ResponseReturnValue:
    return trash_pages.purge(ROOM, record_id)


@contacts.post("/<uuid:record_id>/companies")
@requires(Permission.CONTACT_CHANGE)
def link_company(record_id: UUID) -> ResponseReturnValue:
    contact = record_for_changing(CONTACTS, record_id)
    company = company_to_link(request.form.get("company_name", ""))
    actions.link_company(contact, company, clean_text(request.form.get("role", "")[:100]) or None)
    return redirect(ROOM.url("show", record_id=record_id), 303)


@contacts.post("/<uuid:record_id>/companies/<uuid:company_id>/removal")
@requires(Permission.CONTACT_CHANGE)
def unlink_company(record_id: UUID, company_id: UUID) -> ResponseReturnValue:
    actions.unlink_company(record_for_changing(CONTACTS, record_id), company_id)
    return redirect(ROOM.url("show", record_id=record_id), 303)


@contacts.post("/<uuid:record_id>/companies/<uuid:company_id>/primary")
@requires(Permission.CONTACT_CHANGE)
def choose_primary_company(record_id: UUID, company_id: UUID) -> ResponseReturnValue:
    actions.choose_primary_company(record_for_changing(CONTACTS, record_id), company_id)
    return redirect(ROOM.url("show", record_id=record_id), 303)
