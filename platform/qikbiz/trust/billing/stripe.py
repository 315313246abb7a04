"""Paying an invoice by card at Stripe, where that is configured: its page to pay on, and its signed reports.

The report alone says that something was paid; that a user came back from Stripe's page says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from qikbiz.audit.actions import record_on_platform
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.circuit_breaker import CircuitBreaker
from qikbiz.kernel.database import control_transaction, db, runtime
from qikbiz.kernel.deadline import Deadline, OutOfTime, call_within
from qikbiz.kernel.errors import Conflict, NotFound, Unavailable
from qikbiz.trust.billing.invoices import settle
from qikbiz.trust.billing.models import Invoice, PaymentEvent
from qikbiz.trust.billing.pricing import minor_units
from tenants.context import Tenant

# ruff: noqa: PLC0415 - the library is imported where a payment is made, so that no start waits for it
TOLERANCE_SECONDS = 300
PAID = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
SERVICE = Actor("system", name="Stripe")
# For one question of the library, which may ask twice, and for all of it together.
TIMEOUT_SECONDS, SECONDS = 8, 12.0
Lock = Callable[[UUID], object]
OnPaid = Callable[[Invoice], None]
AWAY = "The payment service does not answer. Try again in a minute, or pay by transfer."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the service is answered."""

    status: int
    text: str


def is_on() -> bool:
    return runtime().settings.stripe_secret_key is not None


def checkout_url(invoice: Invoice, tenant: Tenant) -> str:
    """The address of Stripe's page for this invoice. Raises Conflict, Unavailable."""
    if not is_on():
        raise NotFound("Card payment is not available. Pay by bank transfer.")
    if invoice.state != "open":
        raise Conflict("This invoice no longer needs to be paid.")
    session = _create_session(invoice, tenant)
    with control_transaction() as control:
        kept = control.get_one(Invoice, invoice.number, with_for_update=True)
        kept.checkout_id = session.id
    return str(session.url)


def take_report(body: bytes, signature: str, *, lock: Lock, on_paid: OnPaid) -> Outcome:
    """Take one report: signed by the service, heard once, and paying exactly one open invoice as it was written.

    `lock` is called with the id of the closing before its invoice is locked, `on_paid` with an invoice that this report
    paid; both in the same transaction.
    """
    if not is_on():
        return Outcome(404, "not configured")
    event = _verified(body, signature)
    if event is None:
        return Outcome(400, "signature refused")
    with acting_as(SERVICE), control_transaction() as control:
        given = {"id": str(event["id"]), "kind": str(event["type"]), "outcome": "taken"}
        statement = insert(PaymentEvent).values(given).on_conflict_do_nothing().returning(PaymentEvent)
        row = control.scalars(statement).one_or_none()
        if row is None:
            known = control.get_one(PaymentEvent, given["id"])
            return Outcome(200, f"known: {known.outcome}")
        if event["type"] not in PAID:
            row.outcome = "ignored"
            return Outcome(200, row.outcome)
        row.outcome = _apply(row, event["data"].get("object") or {}, lock, on_paid)
        return Outcome(200 if row.outcome == "paid" else 422, row.outcome)


def _apply(row: PaymentEvent, session: dict[str, Any], lock: Lock, on_paid: OnPaid) -> str:
    """`paid`, or why not; what is refused stands in the platform's audit for an operator to look at."""
    number = str((session.get("metadata") or {}).get("invoice") or "")
    known = db.control.get(Invoice, number)
    if known is not None:
        # The closing first, as everywhere else that both are locked.
        lock(known.closing_id)
    invoice = db.control.get(Invoice, number, with_for_update=True, populate_existing=True)
    refusal = "no such invoice" if invoice is None else _refusal(invoice, session)
    if invoice is not None:
        row.invoice_number = invoice.number
    if refusal or invoice is None:
        tenant_id = invoice.tenant_id if invoice else None
        details = {"reason": refusal, "report": row.id}
        record_on_platform("payment.refused", tenant_id=tenant_id, subject=number[:40], details=details)
        return f"refused: {refusal}"
    if settle(invoice, SERVICE.name, str(session.get("payment_intent") or session["id"])):
        on_paid(invoice)
    return "paid"


def _refusal(invoice: Invoice, session: dict[str, Any]) -> str:
    metadata = session.get("metadata") or {}
    for is_wrong, why in (
        (session.get("payment_status") != "paid", "not paid"),
        (str(session.get("currency", "")).upper() != invoice.currency, "another currency"),
        (session.get("amount_total") != minor_units(invoice.amount), "another amount"),
        (not _is_tenant(metadata.get("tenant"), invoice.tenant_id), "another organisation"),
        (invoice.state == "void", "the invoice is void"),
        (invoice.state == "paid" and invoice.payment_reference != session.get("payment_intent"), "paid already"),
    ):
        if is_wrong:
            return why
    return ""


def _is_tenant(given: object, tenant_id: UUID) -> bool:
    return str(given) == str(tenant_id)


def _verified(body: bytes, signature: str) -> dict[str, Any] | None:
    import stripe

    secret = runtime().settings.stripe_webhook_secret
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
        event: dict[str, Any] = json.loads(body)
        return event if {"id", "type", "data"} <= event.keys() else None
    except (stripe.SignatureVerificationError, ValueError, AttributeError):
        return None


def _create_session(invoice: Invoice, tenant: Tenant) -> Any:
    import stripe

    from qikbiz.trust.billing.payment_client import PaymentClient

    settings = runtime().settings
    client = stripe.StripeClient(
        str(settings.stripe_secret_key),
        base_addresses={"api": settings.stripe_api_base},
        http_client=PaymentClient(seconds=TIMEOUT_SECONDS),
        max_network_retries=1,
    )
    asked = _question(invoice, tenant, settings.origin(tenant.host))
    breaker = CircuitBreaker(f"payment {settings.stripe_api_base}")
    if breaker.seconds_to_wait():
        raise Unavailable(AWAY)
    try:
        created = call_within(Deadline(SECONDS), lambda: client.v1.checkout.sessions.create(asked))
    except (stripe.APIConnectionError, OutOfTime) as error:
        breaker.record_failure()
        raise Unavailable(AWAY) from error
    except stripe.StripeError as error:
        breaker.record_success()
        raise Unavailable(AWAY) from error
    breaker.record_success()
    return created


def _question(invoice: Invoice, tenant: Tenant, origin: str) -> Any:
    """What Stripe's library wants to know, which declares a typed dict for it."""
    page = f"{origin}/closing/invoice"
    price = {
        "currency": invoice.currency.lower(),
        "unit_amount": minor_units(invoice.amount),
        "product_data": {"name": f"Invoice {invoice.number}"},
    }
    return {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": price}],
        "client_reference_id": invoice.number,
        "metadata": {"invoice": invoice.number, "tenant": str(tenant.id)},
        "success_url": f"{page}?paid=1",
        "cancel_url": page,
    }
