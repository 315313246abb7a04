"""What a closing is billed for, and what its payment writes down."""

from __future__ import annotations

from uuid import UUID

from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict, Failure, NotFound
from qikbiz.trust.account_closure import events
from qikbiz.trust.account_closure.models import Closing
from qikbiz.trust.billing import stripe
from qikbiz.trust.billing.invoices import Bill, locked_invoice, settle
from qikbiz.trust.billing.models import Invoice
from qikbiz.trust.billing.pricing import Terms
from tenants.control import TenantRecord

LONGEST_REFERENCE = 200


def bill_of(closing: Closing, organisation: str) -> Bill:
    """What the organisation pays for a closing whose export is made."""
    terms = Terms.from_json(closing.quote["terms"])
    lines = {
        "work_seconds": closing.work_seconds,
        "bytes": closing.export_bytes,
        "per_hour": str(terms.per_hour),
        "per_gib": str(terms.per_gib),
        "cost": str(closing.cost),
        "quote": str(closing.quote_amount),
    }
    return Bill(closing.id, closing.tenant_id, organisation, closing.charge, closing.currency, lines)


def mark_paid(closing_id: UUID, reference: str) -> Invoice:
    """An operator has seen the money arrive. Again, it stays as it was first marked."""
    reference = " ".join(reference.split())[:LONGEST_REFERENCE]
    if not reference:
        raise Failure("Enter the payment reference as on the bank statement.")
    closing = _locked(closing_id)
    invoice = locked_invoice(closing_id) if closing else None
    if invoice is None:
        raise NotFound("There is no invoice for this account closure.")
    if invoice.state == "void":
        raise Conflict("This invoice is void, because the account closure was cancelled.")
    if settle(invoice, current_actor().name, reference):
        _record_payment(invoice)
    return invoice


def take_card_report(body: bytes, signature: str) -> stripe.Outcome:
    """Take one report of the payment service."""
    return stripe.take_report(body, signature, lock=_locked, on_paid=_record_payment)


def _locked(closing_id: UUID) -> Closing | None:
    return db.control.get(Closing, closing_id, with_for_update=True)


def _record_payment(invoice: Invoice) -> None:
    """In the transaction that locked the closing."""
    closing = db.control.get(Closing, invoice.closing_id)
    if closing is not None and closing.state != "erased":
        slug = db.control.get_one(TenantRecord, closing.tenant_id).slug
        events.record_step(closing, "paid", slug, invoice=invoice.number, amount=f"{invoice.amount} {invoice.currency}")
