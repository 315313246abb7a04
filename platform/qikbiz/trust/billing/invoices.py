"""The invoice of an account closure: made when its cost is known, paid by transfer or card, void when cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select, text

from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.trust.billing.models import Invoice

_ONE_NUMBER_AT_A_TIME = 0x51_42_49


@dataclass(frozen=True, slots=True)
class Bill:
    """What one account closure costs the organisation. `lines` say how the amount was measured."""

    closing_id: UUID
    tenant_id: UUID
    organisation: str
    amount: Decimal | None
    currency: str
    lines: dict[str, object]


def issue_invoice(bill: Bill) -> Invoice | None:
    """The invoice for a bill, made once for its closing. None when nothing is charged."""
    standing = locked_invoice(bill.closing_id)
    if standing is not None or not bill.amount:
        return standing
    moment = clock.now()
    invoice = Invoice(
        number=_next_number(moment.year),
        closing_id=bill.closing_id,
        tenant_id=bill.tenant_id,
        billed_to=bill.organisation,
        amount=bill.amount,
        currency=bill.currency,
        issued_at=moment,
        state="open",
        lines=bill.lines,
    )
    db.control.add(invoice)
    return invoice


def locked_invoice(closing_id: UUID) -> Invoice | None:
    """The invoice of a closing, locked. Lock the closing first where both are."""
    return db.control.scalars(select(Invoice).where(Invoice.closing_id == closing_id).with_for_update()).one_or_none()


def settle(invoice: Invoice, by: str, reference: str) -> bool:
    """Mark as paid, once; False when it was paid before. This changes nothing about when data is kept or erased."""
    if invoice.state == "paid":
        return False
    invoice.state, invoice.paid_at, invoice.paid_by, invoice.payment_reference = "paid", clock.now(), by, reference
    return True


def void_invoice(closing_id: UUID) -> None:
    """The closing was cancelled: what is not paid need not be."""
    invoice = locked_invoice(closing_id)
    if invoice is not None and invoice.state == "open":
        invoice.state = "void"


def _next_number(year: int) -> str:
    # Without gaps, as tax law wants it: a transaction that takes a number holds the others up until it commits.
    db.control.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_NUMBER_AT_A_TIME})
    prefix = f"QB-{year}-"
    newest = db.control.scalar(select(func.max(Invoice.number)).where(Invoice.number.startswith(prefix)))
    return f"{prefix}{int(newest.removeprefix(prefix)) + 1 if newest else 1:05}"
