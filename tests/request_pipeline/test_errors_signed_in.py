"""A user keeps navigation and search when a page is missing or not allowed; a visitor without a session sees none."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from qikbiz.app import error_handlers
from qikbiz.crm.contacts.models import Contact
from qikbiz.kernel.database import tenant_transaction
from tenants.runtime import Runtime
from tests.fixtures.web import Browser
from tests.fixtures.world import World

FRAME = 'aria-label="Records"'
ClientFor = Callable[[str], Browser]


@pytest.mark.parametrize(
    "path", ["/no-such-page", "/contacts/018f0000-0000-7000-8000-000000000000", "/companies/not-an-id"]
)
def test_a_page_that_is_not_there_keeps_navigation_and_search(client_for: ClientFor, path: str) -> None:
    page = client_for("alice").get(path)
    assert page.status_code == 404 and FRAME in page.text and 'href="/contacts"' in page.text
    assert 'action="/search"' in page.text and 'id="error-q"' in page.text
    assert page.text.count("<h1") == 1 and "Reference <code>" in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_a_page_that_is_not_for_them_keeps_it_too_and_shows_their_own_entries_only(client_for: ClientFor) -> None:
    page = client_for("bob").get("/audit")
    assert page.status_code == 403 and FRAME in page.text
    assert 'href="/audit"' not in page.text and "Error 403" in page.text


def test_what_belongs_to_another_tenant_looks_as_what_is_not_there(
    client_for: ClientFor, world: World, working: Runtime
) -> None:
    with tenant_transaction(world.globex.tenant) as session:
        mallorys = Contact(first_name="Gregor", last_name="Globex")
        session.add(mallorys)
        session.flush()
        theirs_id = mallorys.id
    theirs = client_for("alice").get(f"/contacts/{theirs_id}")
    nothing = client_for("alice").get(f"/contacts/{uuid4()}")
    assert theirs.status_code == nothing.status_code == 404
    assert _words(theirs.text) == _words(nothing.text)


def _words(page: str) -> str:
    return page.partition("error-in-frame")[2].partition("Reference")[0]


def test_staff_keep_the_consoles_navigation(client_for: ClientFor) -> None:
    page = client_for("olivia").get("/no-such-page")
    assert page.status_code == 404 and 'aria-label="Console"' in page.text and "error-q" not in page.text


def test_a_stranger_sees_the_plain_page(browser_at: Callable[[str], Browser]) -> None:
    for host in ("acme.localhost", "console.localhost", "localhost", "nobody.localhost"):
        page = browser_at(host).get("/no-such-page")
        assert page.status_code == 404 and "sidebar" not in page.text and "error-page" in page.text


def test_programs_and_fragments_get_what_they_got(client_for: ClientFor) -> None:
    alice = client_for("alice")
    assert alice.get("/no-such-page", headers={"Accept": "application/json"}).mimetype == "application/problem+json"
    part = alice.get("/no-such-page", headers={"HX-Request": "true"})
    assert part.status_code == 404 and "sidebar" not in part.text


def test_a_frame_that_fails_leaves_the_plain_page(client_for: ClientFor, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = client_for("alice")

    def fails() -> None:
        raise RuntimeError("no database")

    monkeypatch.setattr(error_handlers, "page_transaction", fails)
    page = alice.get("/no-such-page")
    assert page.status_code == 404 and "error-page" in page.text and "sidebar" not in page.text
