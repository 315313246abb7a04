"""Operators see closings, give more time and set charges; they can neither begin one nor make one go faster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from qikbiz.app.request_pipeline import QikBiz
from tests.account_closure.conftest import Leaving
from tests.fixtures.web import Browser


@pytest.fixture
def olivia(client_for: Callable[[str], Browser]) -> Browser:
    return client_for("olivia")


def test_an_operator_sees_where_each_closing_stands(leaving: Leaving, olivia: Browser, set_fee: Any) -> None:
    set_fee("25", per_gib="1000000")
    leaving.to("read_only")
    listed = olivia.get("/closings")
    assert "Leaving &amp; Sons" in listed.text and "25.00 EUR" in listed.text and "Not paid" in listed.text
    page = olivia.get(f"/closings/{leaving.closing.id}")
    for words in ("Quote accepted", "Verified by the customer", "Erased after", "Recorded cost"):
        assert words in page.text


def test_what_the_customer_wrote_and_who_it_was_is_not_shown(leaving: Leaving, olivia: Browser) -> None:
    leaving.browser().post("/closing/request", {"reason": "We dislike Sam", "typed": "Leaving & Sons"})
    page = olivia.get(f"/closings/{leaving.closing.id}")
    assert "dislike" not in page.text and leaving.people["alice"].email not in page.text
    assert "Alice" not in olivia.get("/audit").text


def test_support_and_the_customers_own_people_get_no_such_page(
    left_at: Callable[[str], Leaving], client_for: Any
) -> None:
    leaving = left_at("read_only")
    sam, url = client_for("sam"), f"/closings/{leaving.closing.id}"
    for path in ("/closings", url, "/closings/charges"):
        assert sam.get(path).status_code == 403
    for path in (f"{url}/payment", f"{url}/extension", "/closings/charges", "/closings/charges/organisations"):
        assert sam.post(path, {"until": "2099-01-01", "reason": "x"}).status_code == 403
    assert leaving.browser().get("/closings").status_code == 404


@pytest.mark.promise("P13")
def test_no_page_of_the_console_begins_a_closing(app: QikBiz) -> None:
    paths = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("closings.")}
    assert paths == {
        "/closings/", "/closings/<uuid:closing_id>", "/closings/<uuid:closing_id>/payment",
        "/closings/<uuid:closing_id>/extension", "/closings/<uuid:closing_id>/cancellation",
        "/closings/charges", "/closings/charges/organisations"}  # fmt: skip


@pytest.mark.promise("P13")
def test_more_time_is_given_told_and_reminded_of_again(leaving: Leaving) -> None:
    leaving.to("read_only")
    leaving.advance()
    leaving.clock.move(days=24)
    leaving.advance()
    before = leaving.closing
    assert before.erase_after is not None and before.week_told_at is not None
    later = before.erase_after + timedelta(days=20)
    form = {"until": f"{later:%Y-%m-%d}", "reason": "Their lawyer asked"}
    olivia = leaving.log_in(leaving.world.olivia)
    assert olivia.post(f"/closings/{before.id}/extension", form).status_code == 303
    leaving.advance()
    leaving.advance()
    after = leaving.closing
    assert after.erase_after is not None and after.erase_after > before.erase_after + timedelta(days=19)
    assert leaving.record.read_only_until == after.erase_after and after.week_told_at is None
    assert leaving.mails()["extended"] == 2
    assert leaving.audited()[-2:] == ["extended", "extension_told"]
    leaving.clock.move(days=20)
    leaving.advance()
    assert leaving.mails()["reminder"] == 4
    assert leaving.closing.state == "read_only"


@pytest.mark.promise("P13")
@pytest.mark.parametrize(
    ("until", "reason", "saying"),
    [
        ("2026-01-01", "x", "never shortened"),
        ("soon", "x", "2026-12-31"),
        ("", "x", "2026-12-31"),
        ("2999-01-01", "x", "within a year"),
        ("2999-01-01", " ", "Enter a reason"),
    ],
)
def test_time_is_never_made_shorter(
    left_at: Callable[[str], Leaving], olivia: Browser, until: str, reason: str, saying: str
) -> None:
    leaving = left_at("read_only")
    before = leaving.closing.erase_after
    page = olivia.post(f"/closings/{leaving.closing.id}/extension", {"until": until, "reason": reason})
    assert page.status_code == 400 and saying in page.text
    assert leaving.closing.erase_after == before


@pytest.mark.promise("P13")
def test_the_database_refuses_less_than_thirty_days(left_at: Callable[[str], Leaving]) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import IntegrityError

    from qikbiz.kernel.database import control_transaction

    leaving = left_at("read_only")
    statement = text("UPDATE closings SET erase_after = read_only_at + interval '29 days' WHERE id = :id")
    with pytest.raises(IntegrityError, match="thirty_days"), control_transaction() as control:
        control.execute(statement, {"id": leaving.closing.id})


@pytest.mark.promise("P13")
def test_more_time_needs_a_closing_that_is_read_only(left_at: Callable[[str], Leaving], olivia: Browser) -> None:
    leaving = left_at("exported")
    form = {"until": "2027-01-01", "reason": "x"}
    assert olivia.post(f"/closings/{leaving.closing.id}/extension", form).status_code == 409
    unknown = "00000000-0000-7000-8000-000000000000"
    assert olivia.post(f"/closings/{unknown}/extension", form).status_code == 404
    assert olivia.get(f"/closings/{unknown}").status_code == 404


@pytest.mark.promise("P13")
def test_an_operator_sets_what_is_charged(leaving: Leaving, olivia: Browser, set_fee: Any) -> None:
    set_fee("0")
    form = {"fee": "12,50", "currency": "EUR", "per_hour": "40", "per_gib": "0.05", "reason": "Costs of 2026"}
    assert olivia.post("/closings/charges", form).status_code == 303
    page = olivia.get("/closings/charges")
    assert 'value="12.50"' in page.text
    own = {"slug": leaving.tenant.slug, "fee": "3", "is_eu": "1", "reason": "Agreed by contract"}
    assert olivia.post("/closings/charges/organisations", own).status_code == 303
    assert "Agreed by contract" in olivia.get("/closings/charges").text
    leaving.to("asked")
    assert str(leaving.closing.quote_amount) == "3.00"
    assert "charge" in olivia.get("/audit").text.lower()


@pytest.mark.parametrize(
    ("changes", "saying"),
    [
        ({"fee": "-1"}, "between 0"),
        ({"fee": "abc"}, "write it as"),
        ({"fee": "NaN"}, "between 0"),
        ({"fee": "1e9"}, "between 0"),
        ({"fee": "1.234"}, "two decimals"),
        ({"currency": "XXX"}, "currency"),
        ({"reason": " "}, "Enter a reason"),
    ],
)
def test_a_bad_charge_is_refused_in_words(olivia: Browser, set_fee: Any, changes: dict[str, str], saying: str) -> None:
    set_fee("7")
    form = {"fee": "1", "currency": "EUR", "per_hour": "0", "per_gib": "0", "reason": "x"} | changes
    page = olivia.post("/closings/charges", form)
    assert page.status_code == 400 and saying in page.text
    if "fee" in changes:
        assert f'value="{changes["fee"]}"' in page.text, "Nothing typed is lost."
    assert 'value="7.00"' in olivia.get("/closings/charges").text


def test_an_organisation_that_is_not_there_is_said(olivia: Browser) -> None:
    page = olivia.post("/closings/charges/organisations", {"slug": "nobody", "reason": "x"})
    assert page.status_code == 400 and "There is no tenant at “nobody”" in page.text
