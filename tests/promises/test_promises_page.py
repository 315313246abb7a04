"""The page of promises: the statement's own sentences, how each is kept and proved, and a tenant's own evidence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from config.build import Build
from qikbiz.kernel.database import db, tenant_transaction
from qikbiz.kernel.evidence import Keeping
from qikbiz.trust.privacy.bundled_versions import founding_statement
from qikbiz.trust.promises import queries, registry, routes
from qikbiz.trust.promises.queries import UNREADABLE
from qikbiz.trust.promises.test_results import NO_RUN, TestResult, TestRun
from tenants.context import Tenant
from tenants.runtime import Runtime
from tests.fixtures.web import Browser
from tests.fixtures.world import World

HOW = "The database refuses whoever was not granted access, by its own rights."
GREEN = datetime(2026, 11, 1, 12, tzinfo=UTC)
THIS, OTHER = Build("9.9", "a" * 40), Build("9.8", "b" * 40)
PASSED = TestResult("tests/a.py", "a wall stands", "passed")


def logins_here() -> list[tuple[str, str]]:
    count = db.session.execute(text("SELECT count(*) FROM users")).scalar_one()
    return [("Logins here", str(count))]


def logins_of(tenant: Tenant) -> int:
    """How many there are now: other files may have added some to the organisations that all tests share."""
    with tenant_transaction(tenant) as session:
        return int(session.execute(text("SELECT count(*) FROM users")).scalar_one())


def broken() -> list[tuple[str, str]]:
    db.session.execute(text("SELECT nothing FROM nowhere"))
    raise AssertionError


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that makes exactly these keepings stand in the registry."""

    def put(*several: Keeping) -> None:
        found: dict[str, tuple[Keeping, ...]] = {}
        for keeping in several:
            found[keeping.promise] = (*found.get(keeping.promise, ()), keeping)
        monkeypatch.setattr(queries, "keepings", lambda: found)

    return put


@pytest.fixture
def tested(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that makes exactly these tests the last run, all behind P8, of the build `tested` beside `running`."""

    def put(*several: TestResult, tested: Build = THIS, running: Build = THIS) -> None:
        monkeypatch.setattr(routes, "last_run", lambda: TestRun(GREEN, tested, {"P8": several}))
        monkeypatch.setattr(routes, "running_build", lambda: running)

    return put


def test_the_public_page_shows_every_sentence_as_published(browser_at: Callable[[str], Browser]) -> None:
    page = browser_at("localhost").get("/promises")
    assert page.status_code == 200
    for number, sentence in founding_statement().text.promises.items():
        assert f'id="{number}"' in page.text
        assert sentence.replace("'", "&#39;") in page.text


def test_a_tenants_page_has_its_own_evidence_and_no_other_tenants(
    world: World,
    working: Runtime,
    client_for: Callable[[str], Browser],
    browser_at: Callable[[str], Browser],
    kept: Callable[..., None],
) -> None:
    kept(Keeping("P8", HOW, evidence=logins_here))
    acme, globex = client_for("alice").get("/promises"), client_for("mallory").get("/promises")
    assert f"Logins here</dt><dd>{logins_of(world.acme.tenant)}<" in acme.text
    assert f"Logins here</dt><dd>{logins_of(world.globex.tenant)}<" in globex.text
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
    world: World, working: Runtime, client_for: Callable[[str], Browser], kept: Callable[..., None]
) -> None:
    how = "It is kept in the code and in the database, each by itself."
    kept(Keeping("P6", how, evidence=broken), Keeping("P8", how, evidence=logins_here))
    page = client_for("alice").get("/promises")
    assert page.status_code == 200
    assert "The evidence could not be loaded" in page.text
    assert f"Logins here</dt><dd>{logins_of(world.acme.tenant)}<" in page.text


@pytest.mark.parametrize("name", ["alice", "ben", "bob", "mallory"])
def test_every_rooms_evidence_can_be_read_by_everyone_who_may_see_it(
    client_for: Callable[[str], Browser], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert UNREADABLE[1] not in client_for(name).get("/promises").text
    assert [record for record in caplog.records if record.message == "evidence_failed"] == []


def test_tests_that_passed_for_this_very_build_are_said_to_have_passed(
    browser_at: Callable[[str], Browser], kept: Callable[..., None], tested: Callable[..., None]
) -> None:
    kept(Keeping("P8", HOW))
    tested(PASSED)
    page = browser_at("localhost").get("/promises").text
    assert "notice notice-good" in page and "Tests passed for the mechanisms described" in page
    assert "1 Nov 2026, build 9.9 (aaaaaaa)" in page
    assert "1 of 1 test passed</span>" in page
    assert "proved" not in page.lower()


@pytest.mark.parametrize(
    ("of", "running", "words"),
    [
        (OTHER, THIS, ("build 9.8 (bbbbbbb)", "build 9.9 (aaaaaaa)")),
        (THIS, Build("9.9", "a" * 40, is_dirty=True), ("build 9.9 (aaaaaaa)", "build 9.9 (aaaaaaa, with changes)")),
        (THIS, Build("9.9"), ("build 9.9 (aaaaaaa)", "build 9.9 (commit unknown)")),
    ],
)
def test_results_of_another_build_are_amber_and_name_both(
    browser_at: Callable[[str], Browser], tested: Callable[..., None], of: Build, running: Build, words: tuple[str, str]
) -> None:
    tested(PASSED, tested=of, running=running)
    page = browser_at("localhost").get("/promises").text
    assert "notice notice-warn" in page and "Tests passed for another build" in page
    assert all(word in page for word in words)
    assert "notice-good" not in page and "state-good" not in page


def test_in_a_fresh_copy_the_tests_are_not_yet_run(
    browser_at: Callable[[str], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "last_run", lambda: NO_RUN)
    page = browser_at("localhost").get("/promises").text
    assert page.count("Not yet run</span>") == 20 and "Tests not yet run" in page
    assert "state-good" not in page and "notice-good" not in page


def test_a_test_that_did_not_pass_is_shown_so(
    browser_at: Callable[[str], Browser], kept: Callable[..., None], tested: Callable[..., None]
) -> None:
    kept(Keeping("P8", HOW))
    tested(PASSED, TestResult("tests/b.py", "a door is shut", "failed"))
    page = browser_at("localhost").get("/promises").text
    assert "1 of 2 tests passed" in page and "Some tests failed" in page
    of_it = browser_at("localhost").get("/promises/P8").text
    assert "<strong>Failed:</strong> a door is shut" in of_it and "a wall stands" in of_it


def test_a_promise_without_a_test_is_not_called_tested(
    browser_at: Callable[[str], Browser], kept: Callable[..., None], tested: Callable[..., None]
) -> None:
    kept()
    tested(PASSED)
    page = browser_at("localhost").get("/promises").text
    assert page.count("No tests</span>") == 19
    assert page.count("Not described yet") == 20


def test_the_tests_of_one_promise_are_a_page_and_a_part_of_it(
    browser_at: Callable[[str], Browser], client_for: Callable[[str], Browser], tested: Callable[..., None]
) -> None:
    tested(PASSED)
    for browser in (browser_at("localhost"), client_for("bob")):
        part = browser.get("/promises/P8", headers={"HX-Request": "true"}).text
        assert "a wall stands" in part and "<h1" not in part
        assert "There are no tests for" in browser.get("/promises/P9").text
        assert browser.get("/promises/P21").status_code == 404


@pytest.mark.parametrize("who", ["alice", ""])
def test_the_page_is_small(
    client_for: Callable[[str], Browser], browser_at: Callable[[str], Browser], tested: Callable[..., None], who: str
) -> None:
    tested(
        *[TestResult("tests/a.py", f"a wall stands, and {number} doors are shut", "passed") for number in range(999)]
    )
    page = client_for(who).get("/promises") if who else browser_at("localhost").get("/promises")
    assert "999 of 999 tests passed" in page.text
    assert len(page.data) < 60_000


def test_every_promise_with_a_page_says_how_to_try_it() -> None:
    every = (keeping for several in registry.keepings().values() for keeping in several)
    lacking = [keeping.promise for keeping in every if keeping.place and not keeping.try_it]
    assert lacking == []


def test_nobody_logged_in_is_sent_to_the_login_from_a_tenants_page(browser_at: Callable[[str], Browser]) -> None:
    answer = browser_at("acme.localhost").get("/promises")
    assert answer.status_code == 303
    assert answer.location == "/login?next=%2Fpromises"
