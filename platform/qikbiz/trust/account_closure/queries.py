"""Reading closings, in the control database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from qikbiz.kernel.database import control_transaction, db
from qikbiz.kernel.errors import NotFound
from qikbiz.transfer.exports.models import Export
from qikbiz.trust.account_closure.models import ENDED, Closing, ErasedTenant, ErasureCertificate
from qikbiz.trust.billing.models import Invoice
from tenants.control import TenantRecord

WORDS = {
    "asked": ("Quoted, not accepted yet", "busy"),
    "exporting": ("Exporting", "busy"),
    "exported": ("Awaiting verification", "warn"),
    "confirmed": ("Verified, not closed yet", "warn"),
    "read_only": ("Read-only until erased", "bad"),
    "reopening": ("Reopening", "busy"),
    "cancelled": ("Cancelled", "idle"),
    "erasing": ("Erasing", "bad"),
    "erased": ("Erased", "idle"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A closing as operators see it: no person's name, no reason that the customer gave."""

    closing: Closing
    record: TenantRecord
    invoice: Invoice | None
    certificate: ErasureCertificate | None

    @property
    def words(self) -> tuple[str, str]:
        return WORDS[self.closing.state]

    @property
    def since(self) -> datetime:
        """When it came to where it stands."""
        closing = self.closing
        moments = (closing.erased_at, closing.cancelled_at, closing.read_only_at, closing.confirmed_at,
                   closing.exported_at, closing.accepted_at)  # fmt: skip
        return next((moment for moment in moments if moment is not None), closing.asked_at)


def open_closing_of(tenant_id: UUID) -> Closing | None:
    """The closing of a tenant that is under way. Inside `control_transaction()`."""
    statement = select(Closing).where(Closing.tenant_id == tenant_id, Closing.state.not_in(ENDED))
    return db.control.scalars(statement).one_or_none()


def standing_closing(tenant_id: UUID) -> Closing | None:
    """The same, in a transaction of its own."""
    with control_transaction():
        return open_closing_of(tenant_id)


def is_export_of_closing(control: Session, export: Export) -> bool:
    """Whether the program makes this export because the operator ended the contract."""
    if export.actor_kind != "system" or export.grant_id is not None:
        return False
    waiting = select(Closing.id).where(Closing.export_id == export.id, Closing.ended_by == "operator")
    return control.scalar(waiting.where(Closing.state == "exporting")) is not None


def erased_at(tenant_id: UUID) -> datetime | None:
    """When this organisation's account was erased, or None."""
    with control_transaction() as control:
        erased = control.get(ErasedTenant, tenant_id)
        return erased.erased_at if erased else None


def open_closings() -> list[UUID]:
    """Every closing under way, the oldest first."""
    with control_transaction() as control:
        return list(control.scalars(select(Closing.id).where(Closing.state.not_in(ENDED)).order_by(Closing.id)))


def invoice_of(closing_id: UUID) -> Invoice | None:
    with control_transaction() as control:
        return control.scalars(select(Invoice).where(Invoice.closing_id == closing_id)).one_or_none()


def cases(*, is_over: bool) -> Sequence[Case]:
    """The newest first: those under way, or those that have ended."""
    which = Closing.state.in_(ENDED) if is_over else Closing.state.not_in(ENDED)
    ids = db.control.scalars(select(Closing.id).where(which).order_by(Closing.id.desc()).limit(100))
    return [case_of(closing_id) for closing_id in ids.all()]


def case_of(closing_id: UUID) -> Case:
    """Raises NotFound."""
    closing = db.control.get(Closing, closing_id)
    if closing is None:
        raise NotFound
    invoice = db.control.scalars(select(Invoice).where(Invoice.closing_id == closing_id)).one_or_none()
    of_tenant = ErasureCertificate.tenant_id == closing.tenant_id
    certificate = db.control.scalars(select(ErasureCertificate).where(of_tenant)).one_or_none()
    record = db.control.get_one(TenantRecord, closing.tenant_id)
    return Case(closing, record, invoice, certificate if closing.state == "erased" else None)
