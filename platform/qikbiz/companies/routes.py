"""The addresses of companies. Each names its permission; the pages themselves are made for every record type alike."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.companies.actions import change_company, create_company
from qikbiz.companies.fields import COMPANIES
from qikbiz.contacts.fields import CONTACTS
from qikbiz.contacts.queries import contacts_of
from qikbiz.permissions import Permission, requires
from qikbiz.records import edit_pages, list_pages, record_pages, trash_pages
from qikbiz.records.rooms import RecordRoom
from qikbiz.records.seen import seen_type
from qikbiz.records.suggestions import render_suggestions

MOST_CONTACTS = 20

companies = Blueprint("companies", __name__, template_folder="templates", url_prefix="/companies")
ROOM = RecordRoom(
    declared=COMPANIES,
    create_permission=Permission.COMPANY_CREATE,
    change_permission=Permission.COMPANY_CHANGE,
    delete_permission=Permission.COMPANY_DELETE,
    purge_permission=Permission.COMPANY_PURGE,
    create=create_company,
    change=change_company,
    icon="building",
    is_square=True,
)


@companies.get("")
@requires(Permission.COMPANY_SEE)
def index() -> ResponseReturnValue:
    return list_pages.show_list(ROOM)


@companies.get("/filters")
@requires(Permission.COMPANY_SEE)
def filters() -> ResponseReturnValue:
    return list_pages.show_filters(ROOM)


@companies.post("/columns")
@requires(Permission.COMPANY_SEE)
def columns() -> ResponseReturnValue:
    return list_pages.choose_columns(ROOM)


@companies.post("/several")
@requires(Permission.COMPANY_CHANGE)
def several() -> ResponseReturnValue:
    return list_pages.change_several(ROOM)


@companies.get("/suggestions")
@requires(Permission.COMPANY_SEE)
def suggestions() -> ResponseReturnValue:
    return render_suggestions(ROOM.record_type)


@companies.get("/new")
@requires(Permission.COMPANY_CREATE)
def new() -> ResponseReturnValue:
    return edit_pages.new_record(ROOM)


@companies.post("")
@requires(Permission.COMPANY_CREATE)
def create() -> ResponseReturnValue:
    return edit_pages.create(ROOM)


@companies.get("/trash")
@requires(Permission.COMPANY_DELETE)
def trash() -> ResponseReturnValue:
    return trash_pages.show_trash(ROOM)


@companies.post("/restorations")
@requires(Permission.COMPANY_DELETE)
def restore() -> ResponseReturnValue:
    return trash_pages.restore_several(ROOM)


@companies.get("/<uuid:record_id>")
@requires(Permission.COMPANY_SEE)
def show(record_id: UUID) -> ResponseReturnValue:
    if not current_user.can(Permission.CONTACT_SEE):
        return record_pages.show_record(ROOM, record_id)
    found = contacts_of(record_id, MOST_CONTACTS + 1)
    called = seen_type(CONTACTS).name_of
    people = [(row, called(row._asdict())) for row in found[:MOST_CONTACTS]]
    return record_pages.show_record(ROOM, record_id, contacts=people, has_more=len(found) > MOST_CONTACTS)


@companies.get("/<uuid:record_id>/edit")
@requires(Permission.COMPANY_CHANGE)
def edit(record_id: UUID) -> ResponseReturnValue:
    return edit_pages.edit_record(ROOM, record_id)


@companies.post("/<uuid:record_id>/edit")
@requires(Permission.COMPANY_CHANGE)
def save(record_id: UUID) -> ResponseReturnValue:
    return edit_pages.save_record(ROOM, record_id)


@companies.post("/<uuid:record_id>/conflict")
@requires(Permission.COMPANY_CHANGE)
def settle(record_id: UUID) -> ResponseReturnValue:
    return edit_pages.settle_conflict(ROOM, record_id)


@companies.get("/<uuid:record_id>/fields/<name>")
@requires(Permission.COMPANY_CHANGE)
def edit_field(record_id: UUID, name: str) -> ResponseReturnValue:
    return record_pages.edit_field(ROOM, record_id, name)


@companies.post("/<uuid:record_id>/fields/<name>")
@requires(Permission.COMPANY_CHANGE)
def save_field(record_id: UUID, name: str) -> ResponseReturnValue:
    return record_pages.save_field(ROOM, record_id, name)


@companies.post("/<uuid:record_id>/deletion")
@requires(Permission.COMPANY_DELETE)
def delete(record_id: UUID) -> ResponseReturnValue:
    return trash_pages.delete_one(ROOM, record_id)


@companies.get("/<uuid:record_id>/removal")
@requires(Permission.COMPANY_PURGE)
def confirm_purge(record_id: UUID) -> ResponseReturnValue:
    return trash_pages.confirm_purge(ROOM, record_id)


@companies.post("/<uuid:record_id>/removal")
@requires(Permission.COMPANY_PURGE)
def purge(record_id: UUID) -> ResponseReturnValue:
    return trash_pages.purge(ROOM, record_id)
