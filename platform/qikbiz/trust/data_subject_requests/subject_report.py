"""Everything that is kept about one contact, gathered for the person: what is kept, from where, and who saw it when.

Colleagues are not named: the person has a right to what is kept about them, not to who works for the organisation.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from qikbiz.audit.models import AuditEvent, RecordChange
from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.models import Contact, ContactCompany
from qikbiz.crm.records.changes import plain_value
from qikbiz.messaging.mail.models import Mail
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.imports.import_context import plan_of
from qikbiz.transfer.imports.models import Import, ImportRow, ImportUpdate

# Which of our own people did or does something with the record is theirs to know, not the person's.
_OURS = frozenset({"owner_id", "created_by", "updated_by", "deleted_by", "created_by_import", "sort_name", "version"})
_NAMES_ADDRESS = text(
    "EXISTS (SELECT FROM unnest(import_rows.values) cell, unnest(cast(:emails AS text[])) address "
    "WHERE strpos(lower(cell), address) > 0)"
)
ACTORS = {"user": "A user of the organisation", "staff": "QikBiz staff", "system": "QikBiz"}


def addresses_of(contact: Contact) -> list[str]:
    """Every e-mail address of the contact, folded."""
    found = [contact.email, *contact.other_emails, *(entry.get("address") for entry in contact.emails)]
    return sorted({address.strip().lower() for address in found if address and address.strip()})


def everything_about(session: Session, contact: Contact) -> dict[str, object]:
    """As JSON values."""
    emails = addresses_of(contact)
    return {
        "fields": _fields(contact),
        "companies": _companies(session, contact.id),
        "history": _history(session, contact.id),
        "imports": _imports(session, contact, emails),
        "mails": _mails(session, emails),
        "audit": _audit(session, contact.id),
        "exports": _exports(session, contact),
    }


def _fields(contact: Contact) -> list[dict[str, object]]:
    shown = [field for field in CONTACTS.fields if field.name not in _OURS and not field.names_user]
    found = [(field.name, field.label, plain_value(getattr(contact, field.name, None))) for field in shown]
    known = {name for name, _, _ in found}
    more = [(name, name.replace("_", " ").capitalize()) for name in ("id", "external_id", "created_at", "deleted_at")]
    found += [(name, label, plain_value(getattr(contact, name))) for name, label in more if name not in known]
    kept = [one for one in found if one[2] not in (None, "", [])]
    return [{"name": name, "label": label, "value": value} for name, label, value in kept]


def _companies(session: Session, contact_id: UUID) -> list[dict[str, object]]:
    query = (
        select(Company.name, ContactCompany.role, ContactCompany.is_primary, ContactCompany.ended_on)
        .join(ContactCompany, ContactCompany.company_id == Company.id)
        .where(ContactCompany.contact_id == contact_id)
    )
    return _rows(session.execute(query.order_by(Company.name)))


def _history(session: Session, contact_id: UUID) -> list[dict[str, object]]:
    changes = session.scalars(
        select(RecordChange).where(RecordChange.record_id == contact_id).order_by(RecordChange.id)
    )
    return [
        {
            "at": plain_value(change.at),
            "what": change.kind,
            "how": change.source,
            "by": ACTORS.get(change.actor_kind, "Unknown"),
            "changes": {name: pair for name, pair in change.changes.items() if name not in _OURS},
        }
        for change in changes
    ]


def _imports(session: Session, contact: Contact, emails: list[str]) -> list[dict[str, Any]]:
    """The imports that made or changed the record, and rows about the person that are still kept."""
    changed = select(RecordChange.import_id).where(RecordChange.record_id == contact.id)
    rows = list(session.scalars(select(ImportRow).where(row_is_about(contact.id, emails)).order_by(ImportRow.row)))
    wanted = {contact.created_by_import, *session.scalars(changed), *(row.import_id for row in rows)} - {None}
    imports = {one.id: one for one in session.scalars(select(Import).where(Import.id.in_(wanted)))}
    return [
        {
            "file": one.file_name,
            "uploaded_at": plain_value(one.created_at),
            "applied_at": plain_value(one.applied_at),
            "rows_still_kept": [_row(one, row) for row in rows if row.import_id == one.id],
        }
        for one in sorted(imports.values(), key=lambda one: one.id)
    ]


def row_is_about(contact_id: UUID, emails: list[str]) -> Any:
    """The condition on import_rows: the record that it found, or one of the addresses anywhere in it."""
    updates = select(ImportUpdate.row).where(
        ImportUpdate.import_id == ImportRow.import_id,
        ImportUpdate.row == ImportRow.row,
        ImportUpdate.record_id == contact_id,
    )
    found = [ImportRow.record_id == contact_id, updates.exists()]
    return or_(*found, func.lower(ImportRow.key).in_(emails), _NAMES_ADDRESS.bindparams(emails=emails))


def _row(one: Import, row: ImportRow) -> dict[str, object]:
    """A staged row by the names of its columns; rows of a file whose columns were changed since, by their numbers."""
    values, names = row.values or [], plan_of(one).staged
    if len(names) != len(values):
        names = tuple(f"column {number}" for number in range(1, len(values) + 1))
    kept = {name: value for name, value in zip(names, values, strict=True) if value not in (None, "")}
    return {"row": row.row, "values": kept}


def _mails(session: Session, emails: list[str]) -> list[dict[str, object]]:
    query = select(Mail.created_at, Mail.sent_at, Mail.to_address, Mail.subject, Mail.category, Mail.state)
    return _rows(session.execute(query.where(func.lower(Mail.to_address).in_(emails)).order_by(Mail.id)))


def _audit(session: Session, contact_id: UUID) -> list[dict[str, object]]:
    events = session.scalars(select(AuditEvent).where(AuditEvent.record_id == contact_id).order_by(AuditEvent.id))
    return [
        {
            "at": plain_value(event.at),
            "what": event.action,
            "by": ACTORS.get(event.actor_kind, "Unknown"),
            "changes": {n: v for n, v in (event.details.get("changes") or {}).items() if n not in _OURS},
        }
        for event in events
    ]


def _exports(session: Session, contact: Contact) -> list[dict[str, object]]:
    """Files that may hold the person and can still be fetched."""
    query = select(Export.snapshot_at, Export.expires_at, Export.scope, Export.product)
    holds = (Export.state == "ready", Export.snapshot_at >= contact.created_at, Export.scope != "companies")
    return _rows(session.execute(query.where(*holds).order_by(Export.id)))


def _rows(found: Any) -> list[dict[str, Any]]:
    return [{name: plain_value(value) for name, value in row._mapping.items()} for row in found]
