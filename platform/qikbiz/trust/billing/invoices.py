"""The bill of a closing: made when the export's cost is known, paid by transfer or card, void when called off."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, text

from qikbiz.kernel import clock
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict, Failure, NotFound
from qikbiz.trust.account_closure import events
from qikbiz.trust.account_closure.models import Closing, Invoice
from qikbiz.trust.billing.pricing import Terms
from tenants.control import TenantRecord

_ONE_NUMBER_AT_A_TIME = 0x51_42_49
LONGEST_REFERENCE = 200


def issue_invoice(closing: Closing, organisation: str) -> Invoice | None:
    """The invoice of a closing with a charge, made once. None when nothing is charged."""
    standing = _of(closing)
    if standing is not None or not closing.charge:
        return standing
    terms = Terms.from_json(closing.quote["terms"])
    moment = clock.now()
    invoice = Invoice(
        number=_next_number(moment.year),
        closing_id=closing.id,
        tenant_id=closing.tenant_id,
        billed_to=organisation,
        amount=closing.charge,
        currency=closing.currency,
        issued_at=moment,
        state="open",
        lines={
            "work_seconds": closing.work_seconds,
            "bytes": closing.export_bytes,
            "per_hour": str(terms.per_hour),
            "per_gib": str(terms.per_gib),
            "cost": str(closing.cost),
            "quote": str(closing.quote_amount),
        },
    )
    db.control.add(invoice)
    return invoice


def mark_paid(closing_id: UUID, reference: str) -> Invoice:
    """An operator has seen the money arrive. Again, it stays as it was first marked."""
    reference = " ".join(reference.split())[:LONGEST_REFERENCE]
    if not reference:
        raise Failure("Enter the payment reference as on the bank statement.")
    closing = db.control.get(Closing, closing_id, with_for_update=True)
    invoice = _of(closing) if closing else None
    if closing is None or invoice is None:
        raise NotFound("There is no invoice for this account closure.")
    if invoice.state == "void":
        raise Conflict("This invoice is void, because the account closure was cancelled.")
    settle(invoice, closing, current_actor().name, reference)
    return invoice


def settle(invoice: Invoice, closing: Closing | None, by: str, reference: str) -> None:
    """Mark as paid, once. What was paid changes nothing about when data is kept or erased."""
    if invoice.state == "paid":
        return
    invoice.state, invoice.paid_at, invoice.paid_by, invoice.payment_reference = "paid", clock.now(), by, reference
    if closing is not None and closing.state != "erased":
        slug = db.control.get_one(TenantRecord, closing.tenant_id).slug
        events.record_step(closing, "paid", slug, invoice=invoice.number, amount=f"{invoice.amount} {invoice.currency}")


def void_invoice(closing: Closing) -> None:
    """Called off: what is not paid need not be."""
    invoice = _of(closing)
    if invoice is not None and invoice.state == "open":
        invoice.state = "void"


def _of(closing: Closing) -> Invoice | None:
    return db.control.scalars(select(Invoice).where(Invoice.closing_id == closing.id).with_for_update()).one_or_none()


def _next_number(year: int) -> str:
    # Without gaps, as tax law wants it: whoever takes a number holds the others up until it commits.
    db.control.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_NUMBER_AT_A_TIME})
    prefix = f"QB-{year}-"
    newest = db.control.scalar(select(func.max(Invoice.number)).where(Invoice.number.startswith(prefix)))
    return f"{prefix}{int(newest.removeprefix(prefix)) + 1 if newest else 1:05}"
