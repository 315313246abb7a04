"""Pages for administrators who answer data subject requests: a file of everything, erasure, and its receipt."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, current_app, json, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.records.actions import name_of
from qikbiz.kernel.access import access
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.transfer.exports.forms import ExportIdForm
from qikbiz.trust.data_subject_requests import requests
from qikbiz.trust.data_subject_requests.forms import ErasureForm
from qikbiz.trust.data_subject_requests.models import Erasure
from qikbiz.trust.data_subject_requests.receipts import PURPOSE, as_file
from qikbiz.web.fragments import render_page
from tenants.control import new_id

persons = Blueprint("persons", __name__, template_folder="templates")
receipts = Blueprint("receipts", __name__)


@persons.get("/contacts/<uuid:contact_id>/person")
@access(Permission.PERSON_ANSWER)
def show(contact_id: UUID) -> ResponseReturnValue:
    contact = requests.person_at_hand(contact_id)
    return render_template(
        "data_subject_requests/show.html",
        contact=contact,
        name=name_of(CONTACTS, contact),
        export_id=new_id(),
        typed="",
        problem="",
    )


@persons.post("/contacts/<uuid:contact_id>/person/file")
@access(Permission.PERSON_ANSWER, fresh=True)
def write_file(contact_id: UUID) -> ResponseReturnValue:
    asked = requests.ask_for_file(requests.person_at_hand(contact_id), export_id=ExportIdForm.sent().given_id())
    return redirect(url_for("exports.show", export_id=asked.id), 303)


@persons.post("/contacts/<uuid:contact_id>/person/erasure")
@access(Permission.PERSON_ANSWER, fresh=True)
def erase(contact_id: UUID) -> ResponseReturnValue:
    contact = requests.person_at_hand(contact_id)
    form = ErasureForm.sent()
    asked = requests.ask_for_erasure(contact, typed=form.typed.text, reference=form.reference.text)
    return redirect(url_for(".erasure", erasure_id=asked.id), 303)


@persons.get("/persons/erasures")
@access(Permission.PERSON_ANSWER)
def erasures() -> ResponseReturnValue:
    return render_template("data_subject_requests/erasures.html", erasures=requests.erasures())


@persons.get("/persons/erasures/<uuid:erasure_id>")
@access(Permission.PERSON_ANSWER)
def erasure(erasure_id: UUID) -> ResponseReturnValue:
    found = requests.erasure_for_reading(erasure_id)
    return render_page("data_subject_requests/erasure.html", "standing", erasure=found, public_key=_public_key(found))


@persons.get("/persons/erasures/<uuid:erasure_id>/receipt")
@access(Permission.PERSON_ANSWER)
def receipt(erasure_id: UUID) -> ResponseReturnValue:
    """The receipt as a file, which anybody can check."""
    found = requests.erasure_for_reading(erasure_id)
    if found.key_id is None or found.signature is None:
        raise NotFound("There is no receipt yet.")
    text = json.dumps(as_file(runtime().settings.keys, found.document, found.key_id, found.signature), indent=2)
    response = current_app.response_class(text + "\n", mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="erasure-receipt-{found.id.hex[-8:]}.json"'
    return response


@receipts.get("/receipts/keys")
@access(Permission.PUBLIC)
def keys() -> ResponseReturnValue:
    """The public keys with which receipts were ever signed, those no longer in use too."""
    ring = runtime().settings.keys
    found = {key.id: ring.public_key(PURPOSE, key.id) for key in ring.keys}
    listed = [{"key_id": key_id, "public_key": public_key.hex()} for key_id, public_key in found.items() if public_key]
    return {"algorithm": "Ed25519", "purpose": PURPOSE, "keys": listed}


def _public_key(found: Erasure) -> str:
    key = runtime().settings.keys.public_key(PURPOSE, found.key_id) if found.key_id is not None else None
    return key.hex() if key else ""
