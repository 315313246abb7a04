"""What administrators do for a person who asks: have everything about them exported, or have them erased."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from qikbiz.audit.actions import record
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.models import Contact
from qikbiz.crm.records.actions import name_of, record_for_reading
from qikbiz.jobs.actions import enqueue
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure, NotFound
from qikbiz.transfer.exports.actions import ask_for_export
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.selection import Selection
from qikbiz.trust.data_subject_requests.file import PERSON
from qikbiz.trust.data_subject_requests.models import Erasure
from tenants.control import new_id

LONGEST_REFERENCE = 100


def person_at_hand(contact_id: UUID) -> Contact:
    """The contact, in the trash or not. Raises NotFound."""
    found = record_for_reading(CONTACTS, contact_id, in_trash=True)
    assert isinstance(found, Contact)
    return found


def ask_for_file(contact: Contact, *, export_id: UUID | None) -> Export:
    """Have everything about this person written into a file. Asking twice with one id gives one file."""
    filters = {"contact": [str(contact.id)]}
    export = ask_for_export(Selection(PERSON, PERSON, filters), export_id=export_id)
    record("contact.file_asked", record_type="contact", record_id=contact.id, details={"export": str(export.id)})
    return export


def ask_for_erasure(contact: Contact, *, typed: str, reference: str) -> Erasure:
    """Have this person erased. Raises Failure when the name typed is another one."""
    if typed.strip() != name_of(CONTACTS, contact).strip():
        raise Failure("The name does not match the name of the contact. Nothing was erased.")
    if len(reference.strip()) > LONGEST_REFERENCE:
        raise Failure(f"The reference is longer than {LONGEST_REFERENCE} characters.")
    db.session.get(Contact, contact.id, with_for_update=True)
    standing = db.session.scalars(
        select(Erasure).where(Erasure.record_id == contact.id, Erasure.state == "asked")
    ).first()
    if standing is not None:
        return standing
    actor = current_actor()
    asked = Erasure(
        id=new_id(),
        record_id=contact.id,
        state="asked",
        reference=reference.strip(),
        asked_by=actor.id,
        asked_by_name=actor.name,
    )
    db.session.add(asked)
    asked.job_id = enqueue("data_subjects.erase", {"erasure": str(asked.id)}, created_by=actor.id).id
    # No name: it would have to be erased at once.
    record("contact.erasure_asked", record_type="contact", record_id=contact.id, details={"erasure": str(asked.id)})
    return asked


def erasure_for_reading(erasure_id: UUID) -> Erasure:
    found = db.session.get(Erasure, erasure_id)
    if found is None:
        raise NotFound("There is no such erasure.")
    return found


def erasures(limit: int = 100) -> list[Erasure]:
    """The newest first."""
    return list(db.session.scalars(select(Erasure).order_by(Erasure.id.desc()).limit(limit)))
