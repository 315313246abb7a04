"""From the request to the certificate: each step is shown, done once, recorded and notified."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from provisioning.create import create_tenant
from provisioning.servers import Connection, connect_to_control
from qikbiz.console.slugs import NameTaken
from qikbiz.kernel.errors import Conflict
from tests.account_closure.conftest import Leaving
from tests.fixtures.web import Browser

pytestmark = pytest.mark.promise("P13")


def test_the_whole_way(leaving: Leaving, owner_connection: Connection, browser_at: Callable[[str], Browser]) -> None:
    alice = leaving.browser()
    assert "Close the account of Leaving &amp; Sons" in alice.get("/closing").text
    asked = alice.post("/closing/request", {"reason": "We merge with Globex.", "typed": "Leaving & Sons"})
    page = alice.follow(asked)
    assert "The export and the account closure are free" in page.text
    page = alice.follow(alice.post("/closing/acceptance", {"amount": "0.00"}))
    assert "In progress" in page.text and "hx-trigger" in page.text
    leaving.make_export()
    page = alice.get("/closing/export")
    assert "Download" in page.text and leaving.closing.export_sha256[-8:] not in page.text
    page = alice.get("/closing/check")
    assert "sha256sum" in page.text and "certutil" in page.text
    page = alice.follow(alice.post("/closing/verification", {"checksum": leaving.closing.export_sha256[-8:].upper()}))
    assert "Data to be erased" in page.text
    page = alice.follow(alice.post("/closing/retrieval", {"days": "30"}))
    assert "Your account is closing" in page.text
    leaving.advance()
    leaving.clock.move(days=23, minutes=1)
    leaving.advance()
    assert leaving.mails()["reminder"] == 2
    leaving.clock.move(days=6)
    leaving.advance()
    assert leaving.mails() == {"asked": 2, "accepted": 2, "exported": 2, "read_only": 2, "reminder": 4}
    leaving.clock.move(days=1, minutes=1)
    leaving.advance()
    assert leaving.mails() == {"certificate": 1}
    assert leaving.closing.state == "erased" and leaving.record.state == "closed"
    found = owner_connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (leaving.tenant.schema,))
    assert found.fetchone() is None
    assert browser_at(leaving.tenant.host).get("/login").status_code == 410
    certificate = leaving.certificate
    assert certificate is not None and certificate.document["counts"]["rows"] > 0
    with pytest.raises((NameTaken, Conflict)):
        create_tenant(leaving.world.settings, leaving.tenant.slug, "Thief", "thief@example.com")


def test_every_step_stands_in_the_customers_own_audit(leaving: Leaving) -> None:
    leaving.to("read_only")
    leaving.advance()
    assert leaving.audited() == ["asked", "accepted", "exported", "confirmed", "read_only"]
    # Read again and again, nothing is written twice.
    leaving.advance()
    assert len(leaving.audited()) == 5


@pytest.mark.parametrize("typed", ["", "leaving & sons", "Leaving", "Leaving & Sons Ltd", "x" * 5000])
def test_the_name_must_be_typed_exactly(left_at: Callable[[str], Leaving], typed: str) -> None:
    leaving = left_at("new")
    page = leaving.browser().post("/closing/request", {"reason": "Bye & farewell", "typed": typed})
    assert page.status_code == 400 and "exactly as shown" in page.text
    assert "Bye &amp; farewell" in page.text
    assert leaving.stands_at("new") and leaving.record.read_only_until is None


def test_it_asks_for_a_password_given_lately(leaving: Leaving) -> None:
    alice = leaving.browser()
    leaving.clock.move(minutes=20)
    for path in ("/closing/request", "/closing/cancellation", "/closing/end"):
        assert alice.get(path).location.startswith("/confirm?next=")
    refused = alice.post("/closing/request", {"typed": "Leaving & Sons"})
    assert refused.status_code == 303 and refused.location.startswith("/confirm")
    assert "Start</span>" in alice.get("/closing").text


@pytest.mark.parametrize("name", ["ben", "bob"])
def test_members_and_readers_can_not(left_at: Callable[[str], Leaving], name: str) -> None:
    leaving = left_at("read_only")
    person = leaving.log_in(leaving.people[name])
    for path in ("", "/request", "/cost", "/export", "/check", "/end", "/standing", "/cancellation", "/invoice"):
        assert person.get(f"/closing{path}").status_code == 403
    for path in ("request", "acceptance", "exports", "verification", "retrieval", "cancellation", "payment"):
        assert person.post(f"/closing/{path}", {"typed": "Leaving & Sons", "days": "30"}).status_code == 403
    assert leaving.closing.state == "read_only"


def test_another_organisation_neither_sees_nor_touches_it(
    left_at: Callable[[str], Leaving], client_for: Callable[[str], Browser]
) -> None:
    leaving = left_at("exported")
    closing = leaving.closing
    mallory = client_for("mallory")
    assert "Close the account of Globex" in mallory.get("/closing").text
    assert mallory.get(f"/exports/{closing.export_id}").status_code == 404
    assert mallory.post("/closing/verification", {"checksum": closing.export_sha256}).status_code == 409
    assert mallory.post("/closing/cancellation", {}).status_code == 409
    assert leaving.closing.state == "exported"


def test_two_administrators_at_once_make_one_closing(leaving: Leaving) -> None:
    alice, carol = leaving.browser("alice"), leaving.browser("carol")
    tokens = [(browser, browser.csrf_token()) for browser in (alice, carol) for _ in range(2)]

    def ask(one: tuple[Browser, str]) -> int:
        browser, token = one
        return browser.post("/closing/request", {"typed": "Leaving & Sons", "csrf_token": token}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ask, tokens)) == {303}
    with connect_to_control(leaving.world.settings) as control:
        rows = control.execute("SELECT count(*) FROM closings WHERE tenant_id = %s", (leaving.tenant.id,)).fetchone()
    assert rows == (1,)
    assert leaving.mails() == {"asked": 2}


@pytest.mark.parametrize(
    ("before", "path", "form"),
    [
        ("asked", "/closing/acceptance", {"amount": "0.00"}),
        ("confirmed", "/closing/retrieval", {"days": "30"}),
        ("exported", "/closing/verification", {}),
    ],
)
def test_a_second_click_does_nothing_more(leaving: Leaving, before: str, path: str, form: dict[str, str]) -> None:
    leaving.to(before)
    form = form or {"checksum": leaving.closing.export_sha256}
    first = leaving.browser().post(path, form)
    told, state = leaving.mails(), leaving.closing
    again = leaving.browser().post(path, form)
    assert (first.status_code, again.status_code) == (303, 303)
    assert leaving.mails() == told
    assert (leaving.closing.state, leaving.closing.export_id, leaving.closing.erase_after) == (
        state.state, state.export_id, state.erase_after)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "path", "form"),
    [
        ("asked", "/closing/verification", {"checksum": ""}),
        ("asked", "/closing/retrieval", {"days": "30"}),
        ("exported", "/closing/retrieval", {"days": "30"}),
        ("asked", "/closing/exports", {}),
    ],
)
def test_no_step_is_skipped(left_at: Callable[[str], Leaving], state: str, path: str, form: dict[str, str]) -> None:
    leaving = left_at(state)
    assert leaving.browser().post(path, form).status_code == 409
    assert leaving.closing.state == state and leaving.record.read_only_until is None


@pytest.mark.parametrize("typed", ["", "00000000", "x", "' OR 1=1", "0" * 64])
def test_a_wrong_checksum_is_said(left_at: Callable[[str], Leaving], typed: str) -> None:
    leaving = left_at("exported")
    page = leaving.browser().post("/closing/verification", {"checksum": typed})
    assert page.status_code == 400 and "does not match the export" in page.text
    assert leaving.closing.state == "exported"


@pytest.mark.parametrize("days", ["29", "91", "0", "-1", "", "soon", "1e3", "999999999999"])
def test_the_time_to_fetch_is_thirty_to_ninety_days(left_at: Callable[[str], Leaving], days: str) -> None:
    leaving = left_at("confirmed")
    page = leaving.browser().post("/closing/retrieval", {"days": days})
    assert page.status_code == 400 and "between 30 and 90" in page.text
    assert leaving.closing.state == "confirmed"


def test_ninety_days_may_be_chosen(leaving: Leaving) -> None:
    closing = leaving.to("read_only", days=90)
    assert closing.erase_after is not None and closing.read_only_at is not None
    assert (closing.erase_after - closing.read_only_at).days == 90


def test_going_back_keeps_everything(leaving: Leaving) -> None:
    alice = leaving.browser()
    alice.post("/closing/request", {"reason": "Too dear", "typed": "Leaving & Sons"})
    leaving.post("/closing/acceptance", amount="0.00")
    leaving.make_export()
    back = alice.get("/closing/request")
    assert "Too dear" in back.text
    assert alice.post("/closing/request", {"reason": "Too dear by far"}).status_code == 303
    assert leaving.closing.reason == "Too dear by far" and leaving.closing.state == "exported"
    steps = re.findall(r'<a href="(/closing/[a-z]+)"', alice.get("/closing/check").text)
    assert steps[:3] == ["/closing/request", "/closing/cost", "/closing/export"]


def test_the_last_step_says_in_numbers_what_it_does(left_at: Callable[[str], Leaving]) -> None:
    leaving = left_at("confirmed")
    page = leaving.browser().get("/closing/end?days=45")
    assert "Data kept until" in page.text and "45 days" in page.text and "is never reused" in page.text
    assert re.search(r"<dt>Users</dt><dd>5", page.text)


def test_an_export_that_failed_or_was_deleted_is_made_again(leaving: Leaving) -> None:
    leaving.to("exporting")
    alice, first = leaving.browser(), leaving.closing.export_id
    alice.post(f"/exports/{first}/cancellation")
    assert "No export to download" in alice.get("/closing/export").text
    assert alice.post("/closing/exports").status_code == 303
    leaving.make_export()
    assert leaving.closing.state == "exported" and leaving.closing.export_id != first


def test_changes_after_the_export_are_counted_before_the_last_step(leaving: Leaving) -> None:
    leaving.to("confirmed")
    leaving.browser().post("/contacts", {"first_name": "Ann", "last_name": "Late"})
    assert "1 change made after the export" in leaving.browser().get("/closing/end").text
