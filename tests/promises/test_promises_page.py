"""The page of promises: the statement's own sentences, how each is kept and proved, and a tenant's own evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from qikbiz.database import db, tenant_work
from qikbiz.privacy.files import founding_statement
from qikbiz.promises import registry, routes
from qikbiz.promises.keeping import Keeping
from qikbiz.promises.proofs import Proof, Proofs
from qikbiz.promises.queries import UNREADABLE
from tenants.context import Tenant
from tenants.runtime import Runtime
from tests.fixtures.tenancy import Platform
from tests.fixtures.web import Browser

HOW = "The database refuses whoever was not granted access, by its own rights."
GREEN = datetime(2026, 11, 1, 12, tzinfo=UTC)


def logins_here() -> list[tuple[str, str]]:
    count = db.session.execute(text("SELECT count(*) FROM users")).scalar_one()
    return [("Logins here", str(count))]


def logins_of(tenant: Tenant) -> int:
    """How many there are now: other files may have added some to the organisations that all tests share."""
    with tenant_work(tenant) as session:
        return int(session.execute(text("SELECT count(*) FROM users")).scalar_one())


def broken() -> list[tuple[str, str]]:
    db.session.execute(text("SELECT nothing FROM nowhere"))
    raise AssertionError


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A function that makes exactly these keepings stand in the registry."""

    def put(*several: Keeping) -> None:
        monkeypatch.setattr(registry, "ROOMS", (several,))
        registry.keepings.cache_clear()

    yield put
    monkeypatch.undo()
    registry.keepings.cache_clear()


@pytest.fixture
def proved(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that makes exactly these tests stand in the record, all behind P8."""

    def put(*several: Proof) -> None:
        monkeypatch.setattr(routes, "recorded_proofs", lambda: Proofs(GREEN, "9.9", {"P8": several}))

    return put


def test_the_public_page_shows_every_sentence_as_published(browser_at: Callable[[str], Browser]) -> None:
    page = browser_at("localhost").get("/promises")
    assert page.status_code == 200
    for number, sentence in founding_statement().text.promises.items():
        assert f'id="{number}"' in page.text
        assert sentence.replace("'", "&#39;") in page.text


def test_a_tenants_page_has_its_own_evidence_and_no_other_tenants(
    platform: Platform,
    working: Runtime,
    client_for: Callable[[str], Browser],
    browser_at: Callable[[str], Browser],
    kept: Callable[..., None],
) -> None:
    kept(Keeping("P8", HOW, evidence=logins_here))
    acme, globex = client_for("alice").get("/promises"), client_for("mallory").get("/promises")
    assert f"Logins here</dt><dd>{logins_of(platform.acme)}<" in acme.text
    assert f"Logins here</dt><dd>{logins_of(platform.globex)}<" in globex.text
    assert "Logins here" not in browser_at("localhost").get("/promises").text


def test_the_place_is_a_link_only_for_those_who_may_open_it(
    client_for: Callable[[str], Browser], browser_at: Callable[[str], Browser], kept: Callable[..., None]
) -> None:
    kept(Keeping("P6", "Every change is written down, with who made it and when.", "audit.index", "Audit", logins_here))
    assert 'href="/audit">Audit</a>' in client_for("alice").get("/promises").text
    for page in (client_for("bob").get("/promises"), browser_at("localhost").get("/promises")):
        assert "Every change is written down" in page.text
        assert "Logins here" not in page.text
    assert 'class="nowrap" href="/audit"' not in client_for("bob").get("/promises").text


def test_evidence_that_fails_takes_only_itself_off_the_page(
    platform: Platform, working: Runtime, client_for: Callable[[str], Browser], kept: Callable[..., None]
) -> None:
    how = "It is kept in the code and in the database, each by itself."
    kept(Keeping("P6", how, evidence=broken), Keeping("P8", how, evidence=logins_here))
    page = client_for("alice").get("/promises")
    assert page.status_code == 200
    assert "could not be read just now" in page.text
    assert f"Logins here</dt><dd>{logins_of(platform.acme)}<" in page.text


@pytest.mark.parametrize("name", ["alice", "ben", "bob", "mallory"])
def test_every_rooms_evidence_can_be_read_by_everyone_who_may_see_it(
    client_for: Callable[[str], Browser], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert UNREADABLE[1] not in client_for(name).get("/promises").text
    assert [record for record in caplog.records if record.message == "evidence_failed"] == []


def test_a_test_that_did_not_pass_is_shown_so(
    browser_at: Callable[[str], Browser], kept: Callable[..., None], proved: Callable[..., None]
) -> None:
    kept(Keeping("P8", HOW))
    proved(
        Proof("tests/a.py", "a wall stands", "passed", GREEN, "9.9"),
        Proof("tests/b.py", "a door is shut", "failed", None, ""),
    )
    page = browser_at("localhost").get("/promises").text
    assert "1 of 2 tests passed" in page
    assert "<strong>Failed:</strong> a door is shut" in page
    assert "has never passed in a recorded run" in page
    assert "0<small>of 20" in page


def test_a_promise_without_a_test_is_not_called_proved(
    browser_at: Callable[[str], Browser], kept: Callable[..., None], proved: Callable[..., None]
) -> None:
    kept()
    proved()
    page = browser_at("localhost").get("/promises").text
    assert page.count("Not yet proved") == 20
    assert page.count("Not yet described here") == 20


def test_nobody_logged_in_is_sent_to_the_login_from_a_tenants_page(browser_at: Callable[[str], Browser]) -> None:
    answer = browser_at("acme.localhost").get("/promises")
    assert answer.status_code == 303
    assert answer.location == "/login?next=%2Fpromises"
