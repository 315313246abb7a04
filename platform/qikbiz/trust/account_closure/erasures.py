"""What an erasure does in the control database: count first, delete the tenant's rows, leave a certificate.

Every table with a column `tenant_id` is emptied of the tenant unless it stands here with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import delete, select, update

from qikbiz.audit.models import PlatformAuditEvent
from qikbiz.kernel import clock
from qikbiz.kernel.database import control_transaction, db
from qikbiz.kernel.models import control_metadata
from qikbiz.trust.account_closure import emails
from qikbiz.trust.account_closure.certificates import is_genuine, issue
from qikbiz.trust.account_closure.models import (
    Closing,
    ClosingEvent,
    ErasedTenant,
    Erasure,
    ErasureCertificate,
)
from qikbiz.trust.billing.models import Invoice
from tenants.control import TenantRecord

KEPT_TABLES: dict[str, str] = {
    "closings": "When each step was done; names, addresses and the reason are removed.",
    "closing_invoices": "Tax law requires invoices to be kept, with the name of the customer.",
    "erased_tenants": "The number alone, so that a restored backup restores nothing.",
    "erasure_certificates": "It proves the erasure and contains no names.",
    "platform_audit_events": "That an action happened and when; its content is removed.",
}
# Of use against an attacker, also after the attacked tenant is gone: only the tie is cut.
UNTIED_TABLES = {"abuse_events": ("tenant_id", "account_mac")}


def counted(tenant_id: UUID) -> dict[str, object] | None:
    """What a run before counted, if it came that far."""
    with control_transaction() as control:
        erasure = control.get(Erasure, tenant_id)
        return erasure.counts if erasure else None


def store_counts(tenant_id: UUID, counts: Mapping[str, object]) -> None:
    with control_transaction() as control:
        control.merge(Erasure(tenant_id=tenant_id, begun_at=clock.now(), counts=counts))


def finish(record: TenantRecord, counts: Mapping[str, object]) -> ErasureCertificate:
    """Delete the tenant's rows and sign the certificate, in the current transaction; once, however often tried."""
    standing = db.control.scalars(
        select(ErasureCertificate).where(ErasureCertificate.tenant_id == record.id)
    ).one_or_none()
    closing = _closing_of(record.id)
    delete_rows(record.id)
    if standing is None:
        has_invoice = db.control.scalar(select(Invoice.number).where(Invoice.tenant_id == record.id)) is not None
        standing = issue(record.id, record.name, counts, clock.now(), has_invoice=has_invoice)
        db.control.flush()
    db.control.merge(ErasedTenant(tenant_id=record.id, erased_at=standing.issued_at))
    if closing is not None:
        _finish_closing(closing, record.name, standing)
    _take_names_out(record.id)
    return standing


def delete_rows(tenant_id: UUID) -> None:
    """Whatever the control database has of the tenant, dependants before what they depend on."""
    for table in reversed(control_metadata().sorted_tables):
        column = table.c.get("tenant_id")
        if column is None or table.name in KEPT_TABLES:
            continue
        if table.name in UNTIED_TABLES:
            values = dict.fromkeys(UNTIED_TABLES[table.name])
            db.control.execute(update(table).where(column == tenant_id).values(values))
        else:
            db.control.execute(delete(table).where(column == tenant_id))


def erased_ids() -> set[UUID]:
    """Every tenant that was erased, as this database knows it: by a certificate that this installation signed."""
    with control_transaction() as control:
        its = ErasureCertificate.tenant_id == ErasedTenant.tenant_id
        certificates = control.scalars(select(ErasureCertificate).join(ErasedTenant, its))
        return {one.tenant_id for one in certificates if is_genuine(one)}


def _closing_of(tenant_id: UUID) -> Closing | None:
    statement = select(Closing).where(Closing.tenant_id == tenant_id, Closing.state == "erasing").with_for_update()
    return db.control.scalars(statement).one_or_none()


def _finish_closing(closing: Closing, organisation: str, certificate: ErasureCertificate) -> None:
    closing.state, closing.erased_at = "erased", certificate.issued_at
    emails.delete_mails(closing)
    emails.send_certificate(closing, organisation, certificate)


def _take_names_out(tenant_id: UUID) -> None:
    nobody: dict[str, object] = dict.fromkeys(("reason", "asked_by_name", "asked_by_email", "accepted_by_name"), "")
    nobody["certificate_to"] = []
    db.control.flush()
    db.control.execute(update(Closing).where(Closing.tenant_id == tenant_id).values(nobody))
    # The chain of the audit goes over a salted hash of this part, so that it can be taken out (docs/audit-format.md).
    gone: dict[str, object] = {"subject": "", "details": {}, "salt": None}
    db.control.execute(update(PlatformAuditEvent).where(PlatformAuditEvent.tenant_id == tenant_id).values(gone))
    db.control.execute(delete(ClosingEvent).where(ClosingEvent.tenant_id == tenant_id))
