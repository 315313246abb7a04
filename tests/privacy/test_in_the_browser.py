"""P19 in a real Chromium: an operator announces a statement, all users see the notice, and the clock moves on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import make_server

from provisioning import assets
from qikbiz.trust.privacy.business_days import earliest_effective_day, takes_effect_at
from tests.fixtures.axe import axe_problems
from tests.fixtures.people import Person
from tests.fixtures.statements import MONDAY, Notary
from tests.fixtures.world import World

pytestmark = pytest.mark.browser
DAY = earliest_effective_day(MONDAY.date(), ("US", "DE", "GB"))
SHOWN = f"{DAY.day} {DAY:%b %Y}"
NEW = "We keep them for ninety days."


class Street:
    """Browsers of people, before the session's own application."""

    def __init__(self, world: World, chromium: Browser, port: int) -> None:
        self._world, self._chromium, self._port = world, chromium, port
        self._contexts: list[BrowserContext] = []

    def visitor(self, **options: object) -> Page:
        return self._page("localhost", **options)

    def person(self, person: Person, **options: object) -> Page:
        """A browser with the cookies of a login that was made by the form."""
        host = self._world.host_of(person)
        page = self._page(host, **options)
        cookies = self._world.log_in(person).cookies()
        attributes = {"domain": host, "path": "/", "secure": True, "httpOnly": True, "sameSite": "Lax"}
        page.context.add_cookies(
            [{"name": name, "value": value, **attributes} for name, value in cookies.items()]  # type: ignore[list-item]
        )
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _page(self, host: str, **options: object) -> Page:
        chosen = {"reduced_motion": "reduce", "viewport": {"width": 1280, "height": 800}} | options
        context = self._chromium.new_context(base_url=f"http://{host}:{self._port}", **chosen)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        self._contexts.append(context)
        return context.new_page()


@pytest.fixture
def street(world: World, chromium: Browser) -> Iterator[Street]:
    assets.build()
    server = make_server("127.0.0.1", 0, world.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    street = Street(world, chromium, server.server_port)
    yield street
    street.close()
    server.shutdown()
    thread.join()


LOOKS: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", 1440), ("dark", 390))


def is_accessible(page: Page) -> None:
    assert axe_problems(page) == []


@pytest.mark.promise("P19")
def test_a_statement_is_announced_seen_coming_and_takes_effect_when_its_day_has_begun_everywhere(
    street: Street, notary: Notary, world: World, put_version: Callable[..., Path]
) -> None:
    put_version(2)
    notary.at(MONDAY)
    olivia = street.person(world.olivia)
    olivia.goto("/statement")
    olivia.get_by_role("link", name="Review changes and announce").click()
    expect(olivia.get_by_text(f"can take effect on {SHOWN} at the earliest")).to_be_visible()
    is_accessible(olivia)

    # Too early by a day: refused, said beside the field, and nothing typed is lost.
    day = olivia.get_by_label("Takes effect on")
    early = (DAY - timedelta(days=1)).isoformat()
    day.fill(early)
    olivia.get_by_role("button", name="Announce version 2").click()
    expect(olivia.get_by_text("at the earliest.", exact=False).last).to_be_visible()
    expect(day).to_have_value(early)
    day.fill(DAY.isoformat())
    olivia.get_by_role("button", name="Announce version 2").click()
    expect(olivia.get_by_text("Version 2 is announced", exact=False).first).to_be_visible()
    is_accessible(olivia)

    visitor, alice, bob = street.visitor(), street.person(world.alice), street.person(world.bob)
    visitor.goto("/")
    expect(visitor.get_by_role("complementary", name="Announcement")).to_contain_text(SHOWN)
    visitor.get_by_role("link", name="See what will change").click()
    expect(visitor.locator("ins", has_text=NEW)).to_be_visible()
    is_accessible(visitor)
    for page, is_told in ((alice, 1), (bob, 0)):
        page.goto("/contacts")
        expect(page.get_by_role("complementary", name="Announcement")).to_have_count(is_told)

    notary.see_every_day(2, MONDAY, 60)
    notary.at(takes_effect_at(DAY) - timedelta(seconds=1))
    visitor.goto("/privacy")
    expect(visitor.get_by_text("In force · Version 1")).to_be_visible()
    expect(visitor.get_by_text(NEW)).to_have_count(0)

    notary.at(takes_effect_at(DAY))
    visitor.reload()
    expect(visitor.get_by_text(f"In force · Version 2 · since {SHOWN}")).to_be_visible()
    expect(visitor.get_by_text(NEW)).to_be_visible()
    expect(visitor.get_by_role("complementary", name="Announcement")).to_have_count(0)
    visitor.goto("/privacy/versions")
    expect(visitor.get_by_text("Replaced")).to_be_visible()
    is_accessible(visitor)


def test_no_page_of_the_statement_is_wider_than_its_window_or_hard_to_read(
    street: Street, notary: Notary, world: World
) -> None:
    """In the light at a desk, in the dark in the hand. Public pages without the statement are looked at elsewhere."""
    notary.at(MONDAY)
    notary.announce()
    for page, paths in (
        (street.visitor(), ("/", "/privacy", "/privacy/changes", "/privacy/versions")),
        (street.person(world.alice), ("/promises", "/cookies")),
        (street.person(world.olivia), ("/statement",)),
    ):
        for path in paths:
            page.goto(path)
            for theme, width in LOOKS:
                page.emulate_media(color_scheme=theme)
                page.set_viewport_size({"width": width, "height": 844})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, path
                is_accessible(page)
