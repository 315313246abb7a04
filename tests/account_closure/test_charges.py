"""What leaving costs: nothing by default, shown first, never more than it cost us, and nothing by law in the EU."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qikbiz.trust.billing.pricing import GIB, Terms, charge, cost, minor_units, quote
from tests.account_closure.conftest import Leaving
from tests.fixtures.web import Browser

pytestmark = pytest.mark.promise("P13")
BEFORE, AFTER = datetime(2027, 1, 10, tzinfo=UTC), datetime(2027, 1, 12, tzinfo=UTC)
MONEY = st.decimals(min_value=0, max_value=100_000, places=2)


def test_the_default_is_nothing() -> None:
    offered = quote(Terms(), BEFORE)
    assert offered.amount == 0 and offered.reasons == ("The export and the account closure are free.",)


def test_a_customer_in_the_eu_pays_nothing_from_12_january_2027() -> None:
    terms = Terms(fee=Decimal("20.00"), per_hour=Decimal("100.00"), is_eu=True)
    assert quote(terms, BEFORE).amount == Decimal("20.00")
    assert quote(terms, AFTER).amount == 0
    assert "2023/2854" in quote(terms, AFTER).reasons[0]
    assert quote(Terms(fee=Decimal("20.00")), AFTER).amount == Decimal("20.00")
    # Quoted before that day and made after it: the law counts, not the quote.
    assert charge(Decimal("20.00"), Decimal("50.00"), terms, AFTER) == 0


@given(fee=MONEY, hour=MONEY, gib=MONEY, seconds=st.integers(0, 10**6), size=st.integers(0, 10**14), eu=st.booleans())
def test_a_charge_is_never_above_quote_or_cost(
    fee: Decimal, hour: Decimal, gib: Decimal, seconds: int, size: int, eu: bool
) -> None:
    terms = Terms(fee=fee, per_hour=hour, per_gib=gib, is_eu=eu)
    recorded = cost(terms, seconds=seconds, size=size)
    exact = hour * seconds / 3600 + gib * size / GIB
    assert recorded <= exact and exact - recorded < Decimal("0.02")
    for moment in (BEFORE, AFTER):
        billed = charge(quote(terms, moment).amount, recorded, terms, moment)
        assert 0 <= billed <= min(fee, recorded)
        assert Terms.from_json(terms.as_json()) == terms


def test_cents() -> None:
    assert [minor_units(Decimal(text)) for text in ("0.01", "12.50", "100000.00")] == [1, 1250, 10_000_000]


def test_the_quote_is_shown_with_its_reasons_and_accepted_before_any_work(leaving: Leaving, set_fee: Any) -> None:
    set_fee("25", per_gib="1000000")
    leaving.to("asked")
    page = leaving.browser().get("/closing/cost")
    assert "At most 25.00 EUR" in page.text and "you pay only our cost" in page.text
    assert leaving.closing.export_id is None
    assert "No export yet" in leaving.browser().get("/exports").text
    refused = leaving.browser().post("/closing/acceptance", {"amount": "0.00"})
    assert refused.status_code == 409 and leaving.closing.accepted_at is None
    assert "No export yet" in leaving.browser().get("/exports").text
    leaving.to_accepted()
    kept = leaving.closing
    assert (kept.quote_amount, kept.accepted_by_name) == (Decimal("25.00"), "Alice") and kept.accepted_at is not None
    assert kept.quote["terms"]["per_gib"] == "1000000.00"


def test_the_charge_is_capped_by_what_the_export_cost(leaving: Leaving, set_fee: Any) -> None:
    set_fee("25", per_gib="100")
    closing = leaving.to("exported")
    expected = cost(Terms.from_json(closing.quote["terms"]), seconds=closing.work_seconds, size=closing.export_bytes)
    assert closing.cost == closing.charge == expected < closing.quote_amount
    set_fee("25", per_gib="10000000")
    assert leaving.closing.charge == expected, "Rates that are raised later count for later closings."


def test_it_is_never_above_the_quote_however_much_it_cost(leaving: Leaving, set_fee: Any) -> None:
    set_fee("1.50", per_gib="100000")
    closing = leaving.to("exported")
    assert closing.cost is not None and closing.cost > Decimal("0.10")
    assert closing.charge == min(Decimal("1.50"), closing.cost)


def test_an_eu_customer_is_quoted_nothing_once_the_law_says_so(
    leaving: Leaving, set_fee: Any, mark_eu: Callable[[UUID], None]
) -> None:
    set_fee("25", per_gib="1000000")
    mark_eu(leaving.tenant.id)
    assert leaving.clock.now() < BEFORE, "The wall clock has passed the day: move the clock back in this test."
    leaving.to("asked")
    assert leaving.closing.quote_amount == Decimal("25.00")
    leaving.post("/closing/cancellation")
    leaving.clock.move(seconds=(AFTER - leaving.clock.now()).total_seconds())
    leaving.to("asked")
    assert leaving.closing.quote_amount == 0


def test_an_unpaid_charge_neither_withholds_nor_deletes(leaving: Leaving, set_fee: Any) -> None:
    set_fee("25", per_gib="1000000")
    leaving.to("read_only", days=60)
    leaving.advance()
    bill = leaving.invoice
    assert bill is not None and bill.state == "open"
    for _ in range(2):
        leaving.clock.move(days=29)
        leaving.advance()
        assert leaving.closing.state == "read_only" and leaving.record.state == "active"
        alice = leaving.browser()
        assert alice.get(f"/exports/{leaving.closing.export_id}/file").status_code == 200
        assert alice.get("/contacts").status_code == 200
        assert alice.post("/exports", {"scope": "everything", "product": "portable"}).status_code == 303
        leaving.make_export()


def test_an_unpaid_charge_does_not_let_operators_close_the_doors(
    leaving: Leaving, set_fee: Any, client_for: Callable[[str], Browser]
) -> None:
    set_fee("25", per_gib="1000000")
    leaving.to("read_only")
    olivia, slug = client_for("olivia"), leaving.tenant.slug
    refused = olivia.post(f"/tenants/{slug}/suspension", {"reason": "Unpaid"})
    assert refused.status_code == 409 and "must be able to read their data" in refused.text
    refused = olivia.post(f"/tenants/{slug}/deletion", {"typed": slug, "reason": "Unpaid", "days": "30"})
    assert refused.status_code == 409 and "is being closed already" in refused.text
    assert leaving.record.state == "active"


def test_paid_or_not_the_erasure_comes_when_it_was_promised(leaving: Leaving, set_fee: Any) -> None:
    set_fee("25", per_gib="1000000")
    leaving.to("read_only")
    leaving.to_the_end()
    bill = leaving.invoice
    assert bill is not None and bill.state == "open" and bill.billed_to == "Leaving & Sons"
    certificate = leaving.certificate
    assert certificate is not None and any("invoice" in line for line in certificate.document["kept"])


def test_the_invoice_says_what_it_is_made_of_and_can_be_printed(leaving: Leaving, set_fee: Any) -> None:
    set_fee("25", per_gib="1000000")
    leaving.to("exported")
    bill = leaving.invoice
    assert bill is not None
    page = leaving.browser().get("/closing/invoice")
    assert bill.number in page.text and "At most 25.00 EUR" in page.text and "per hour" in page.text
    assert leaving.mails()["invoice"] == 2
    assert "Pay by card" not in page.text


def test_numbers_of_invoices_have_no_gap(leaving: Leaving, set_fee: Any) -> None:
    set_fee("25", per_gib="1000000")
    numbers = []
    for _ in range(2):
        leaving.to("exported")
        assert leaving.invoice is not None
        numbers.append(leaving.invoice.number)
        leaving.post("/closing/cancellation")
    assert int(numbers[1][-5:]) == int(numbers[0][-5:]) + 1
    assert numbers[0].startswith(f"QB-{leaving.clock.now().year}-")


def test_nothing_charged_means_no_invoice(leaving: Leaving) -> None:
    leaving.to("exported")
    assert leaving.invoice is None
    assert leaving.browser().get("/closing/invoice").status_code == 404
