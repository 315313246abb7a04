"""Invoices: marked as paid by an operator, or paid at Stripe, whose reports are believed by their signature alone.

The signatures are made by Stripe's own library; nothing here goes beyond this machine.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs

import pytest
import stripe
from sqlalchemy import select

from config.settings import SettingsError, load_settings
from qikbiz.app.request_pipeline import QikBiz
from qikbiz.audit.models import PlatformAuditEvent
from qikbiz.kernel.database import control_transaction
from qikbiz.trust.billing.models import Invoice, PaymentEvent
from qikbiz.trust.billing.pricing import minor_units
from tests.account_closure.conftest import Leaving
from tests.fixtures.web import Browser

SECRET = "whsec_test"


@pytest.fixture
def bill(leaving: Leaving, set_fee: Any) -> Invoice:
    set_fee("25", per_gib="1000000")
    leaving.to("exported")
    assert leaving.invoice is not None
    return leaving.invoice


@pytest.fixture
def owing(left_at: Callable[[str], Leaving], set_fee: Any) -> Leaving:
    """One that has such a bill, for tests that leave it open."""
    set_fee("25", per_gib="1000000")
    return left_at("exported")


@pytest.fixture
def open_bill(owing: Leaving) -> Invoice:
    assert owing.invoice is not None and owing.invoice.state == "open"
    return owing.invoice


@pytest.fixture
def by_card(app: QikBiz, working: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that turns paying by card on."""

    def turn_on(**more: str) -> None:
        for runtime in (app.extensions["qikbiz"], working):
            changed = replace(runtime.settings, stripe_secret_key="sk_test_1", stripe_webhook_secret=SECRET, **more)
            monkeypatch.setattr(runtime, "settings", changed)

    turn_on()
    return turn_on


class Stripe:
    """Sends reports as Stripe does."""

    numbers = itertools.count(1)

    def __init__(self, browser: Browser, bill: Invoice) -> None:
        self.browser, self.bill = browser, bill

    def event(self, **changes: Any) -> dict[str, Any]:
        session = {
            "id": "cs_1",
            "payment_intent": "pi_1",
            "payment_status": "paid",
            "amount_total": minor_units(self.bill.amount),
            "currency": self.bill.currency.lower(),
            "metadata": {"invoice": self.bill.number, "tenant": str(self.bill.tenant_id)},
        }
        event_id = f"evt_{self.bill.number}_{next(self.numbers)}"
        return {"id": event_id, "type": "checkout.session.completed", "data": {"object": session | changes}}

    def send(self, event: Any, *, secret: str = SECRET, at: int | None = None, body: bytes | None = None) -> Any:
        text = json.dumps(event)
        header = stripe.WebhookSignature.generate_signature_header(text, secret, at)
        return self.post(body or text.encode(), header)

    def post(self, body: bytes, header: str) -> Any:
        return self.browser.open(
            "/payments/stripe",
            method="POST",
            data=body,
            headers={"Stripe-Signature": header, "Content-Type": "application/json"},
        )


@pytest.fixture
def stripe_reports(browser_at: Callable[[str], Browser], bill: Invoice, by_card: object) -> Stripe:
    return Stripe(browser_at("localhost"), bill)


@pytest.fixture
def reports(browser_at: Callable[[str], Browser], open_bill: Invoice, by_card: object) -> Stripe:
    """The same about the bill that stays open."""
    return Stripe(browser_at("localhost"), open_bill)


def state_of(bill: Invoice) -> str:
    with control_transaction() as control:
        return control.get_one(Invoice, bill.number).state


def test_a_signed_report_pays_the_invoice_once(leaving: Leaving, bill: Invoice, stripe_reports: Stripe) -> None:
    event = stripe_reports.event()
    answers = [stripe_reports.send(event) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[0].json == {"outcome": "paid"} and answers[1].json == {"outcome": "known: paid"}
    paid = leaving.invoice
    assert paid is not None and (paid.state, paid.paid_by, paid.payment_reference) == ("paid", "Stripe", "pi_1")
    leaving.advance()
    assert leaving.audited().count("paid") == 1
    with control_transaction() as control:
        events = control.scalars(select(PaymentEvent).where(PaymentEvent.invoice_number == bill.number)).all()
    assert [event.outcome for event in events] == ["paid"]
    assert "Thank you" in leaving.browser().get("/closing/invoice").text


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"amount_total": 1}, "another amount"),
        ({"amount_total": None}, "another amount"),
        ({"currency": "usd"}, "another currency"),
        ({"currency": None}, "another currency"),
        ({"payment_status": "unpaid"}, "not paid"),
        ({"metadata": None}, "no such invoice"),
        ({"metadata": {"invoice": "QB-1999-00001"}}, "no such invoice"),
    ],
)
def test_a_report_that_does_not_fit_is_refused_and_noted(
    open_bill: Invoice, reports: Stripe, changes: dict[str, Any], why: str
) -> None:
    event = reports.event(**changes)
    answer = reports.send(event)
    assert answer.status_code == 422 and answer.json == {"outcome": f"refused: {why}"}
    # The same report again changes nothing either.
    assert reports.send(event).json == {"outcome": f"known: refused: {why}"}
    assert state_of(open_bill) == "open"
    with control_transaction() as control:
        refused = select(PlatformAuditEvent).where(PlatformAuditEvent.action == "payment.refused")
        noted = [one for one in control.scalars(refused) if one.details["report"] == event["id"]]
    assert [one.details["reason"] for one in noted] == [why]


def test_a_report_for_another_organisation_is_refused(owing: Leaving, open_bill: Invoice, reports: Stripe) -> None:
    metadata = {"invoice": open_bill.number, "tenant": str(owing.world.globex.tenant.id)}
    assert reports.send(reports.event(metadata=metadata)).json == {"outcome": "refused: another organisation"}
    assert state_of(open_bill) == "open"


def test_only_stripes_own_signature_counts(open_bill: Invoice, reports: Stripe) -> None:
    event = reports.event()
    text = json.dumps(event)
    good = stripe.WebhookSignature.generate_signature_header(text, SECRET)
    tampered = text.replace(open_bill.number, "QB-1999-00001").encode()
    for body, header in (
        (text.encode(), ""),
        (text.encode(), "t=1,v1=00"),
        (text.encode(), "rubbish"),
        (text.encode(), stripe.WebhookSignature.generate_signature_header(text, "whsec_other")),
        (text.encode(), good.replace("v1=", "v0=")),
        (tampered, good),
        (b"\xff\xfe", good),
        (b"", good),
    ):
        assert reports.post(body, header).status_code == 400
    assert state_of(open_bill) == "open"


@pytest.mark.parametrize("age", [301, 86_400])
def test_an_old_report_played_again_is_refused(open_bill: Invoice, reports: Stripe, age: int) -> None:
    assert reports.send(reports.event(), at=int(time.time()) - age).status_code == 400
    assert state_of(open_bill) == "open"


def test_what_is_not_about_a_payment_is_ignored(open_bill: Invoice, reports: Stripe) -> None:
    event = reports.event() | {"type": "customer.created"}
    assert reports.send(event).json == {"outcome": "ignored"}
    for rubbish in ([], {"id": "evt_x"}, "text", None):
        assert reports.send(rubbish).status_code == 400
    assert state_of(open_bill) == "open"


def test_after_the_closing_was_cancelled_a_payment_is_refused(
    leaving: Leaving, bill: Invoice, stripe_reports: Stripe
) -> None:
    leaving.post("/closing/cancellation")
    assert state_of(bill) == "void"
    assert stripe_reports.send(stripe_reports.event()).json == {"outcome": "refused: the invoice is void"}


def test_a_report_too_large_is_not_read(reports: Stripe) -> None:
    assert reports.post(b"x" * 300_000, "t=1,v1=00").status_code == 413


def test_without_its_secrets_there_is_no_stripe(
    owing: Leaving, open_bill: Invoice, browser_at: Callable[[str], Browser]
) -> None:
    sender = Stripe(browser_at("localhost"), open_bill)
    assert sender.send(sender.event()).status_code == 404
    assert "Pay by card" not in owing.browser().get("/closing/invoice").text
    assert owing.browser().post("/closing/payment").status_code == 404


def test_the_endpoint_is_on_the_public_site_only(owing: Leaving, reports: Stripe) -> None:
    assert owing.browser().post("/payments/stripe", {}).status_code == 404


class FakeApi(BaseHTTPRequestHandler):
    """The one call that is made, answered as Stripe does."""

    asked: ClassVar[list[tuple[str, dict[str, list[str]], str]]] = []
    answer = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append((self.path, parse_qs(body), self.headers["Authorization"]))
        session = {
            "id": "cs_test_1",
            "object": "checkout.session",
            "url": "https://checkout.stripe.com/c/pay/cs_test_1",
        }
        failed = {"error": {"message": "No", "type": "api_error"}}
        content = json.dumps(session if self.answer == 200 else failed).encode()
        self.send_response(self.answer)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def fake_api() -> Iterator[str]:
    FakeApi.asked, FakeApi.answer = [], 200
    server = HTTPServer(("127.0.0.1", 0), FakeApi)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_the_page_to_pay_on_is_made_by_the_server_for_this_invoice(
    leaving: Leaving, bill: Invoice, by_card: Callable[..., None], fake_api: str
) -> None:
    by_card(stripe_api_base=fake_api)
    page = leaving.browser().post("/closing/payment", {"amount": "1", "url": "https://evil.example"})
    assert 'href="https://checkout.stripe.com/c/pay/cs_test_1"' in page.text
    path, sent, key = FakeApi.asked[0]
    assert path == "/v1/checkout/sessions" and key == "Bearer sk_test_1"
    assert sent["line_items[0][price_data][unit_amount]"] == [str(minor_units(bill.amount))]
    assert sent["line_items[0][price_data][currency]"] == ["eur"]
    assert sent["metadata[invoice]"] == [bill.number]
    assert sent["metadata[tenant]"] == [str(leaving.tenant.id)]
    for name in ("success_url", "cancel_url"):
        assert sent[name][0].startswith(f"http://{leaving.tenant.host}:8000/closing/invoice")
    assert "Leaving" not in json.dumps(sent)
    assert leaving.invoice is not None and leaving.invoice.checkout_id == "cs_test_1"
    # Coming back from there says nothing.
    assert "Paid" not in leaving.browser().get("/closing/invoice?paid=1").text


def test_when_stripe_is_away_the_person_is_told(
    owing: Leaving, open_bill: Invoice, by_card: Callable[..., None], fake_api: str
) -> None:
    by_card(stripe_api_base=fake_api)
    FakeApi.answer = 500
    page = owing.browser().post("/closing/payment")
    assert page.status_code == 503 and "payment service does not answer" in page.text
    assert state_of(open_bill) == "open"


@pytest.mark.parametrize(
    "given",
    [
        {"QIKBIZ_STRIPE_SECRET_KEY": "sk"},
        {"QIKBIZ_STRIPE_WEBHOOK_SECRET": "whsec"},
        {"QIKBIZ_STRIPE_API_BASE": "http://stripe.example"},
    ],
)
def test_half_a_configuration_does_not_start(given: dict[str, str], tmp_path: Any) -> None:
    with pytest.raises(SettingsError, match="STRIPE"):
        load_settings({"QIKBIZ_ENV": "test", "QIKBIZ_HOME": str(tmp_path), **given})


def test_an_operator_marks_it_as_paid(leaving: Leaving, bill: Invoice, client_for: Callable[[str], Browser]) -> None:
    olivia, url = client_for("olivia"), f"/closings/{leaving.closing.id}/payment"
    assert olivia.post(url, {"reference": " "}).status_code == 400
    for reference in ("Transfer 4711", "Transfer 4712"):
        assert olivia.post(url, {"reference": reference}).status_code == 303
    page = olivia.get(f"/closings/{leaving.closing.id}")
    assert "Transfer 4711" in page.text and "4712" not in page.text and "Olivia" in page.text
    leaving.advance()
    assert leaving.audited().count("paid") == 1
