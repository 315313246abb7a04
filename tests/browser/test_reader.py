"""Bob only reads: he is shown no way to change anything, and a typed address is refused in plain words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def bob(browser_of: Callable[..., Page]) -> Page:
    return browser_of("bob")


def test_a_reader_sees_people_and_no_button_that_changes_them(bob: Page) -> None:
    bob.goto("/contacts")
    expect(bob.locator("a.record-link")).to_have_count(50)
    expect(bob.get_by_role("link", name="New contact")).to_have_count(0)
    expect(bob.get_by_role("checkbox", name="Select")).to_have_count(0)
    for entry in ("Exports", "Imports", "Trash", "Users", "Audit"):
        expect(bob.get_by_role("link", name=entry, exact=True)).to_have_count(0)
    bob.locator("a.record-link").first.click()
    expect(bob.get_by_role("link", name="Timeline")).to_be_visible()
    expect(bob.get_by_role("link", name="Edit")).to_have_count(0)
    expect(bob.get_by_role("link", name="Change")).to_have_count(0)
    expect(bob.get_by_role("button", name="Add")).to_have_count(0)


def test_a_typed_address_is_refused_with_a_way_on(bob: Page) -> None:
    bob.goto("/contacts")
    contact = bob.locator("a.record-link").first.get_attribute("href")
    for path in ("/contacts/new", f"{contact}/edit", "/exports/new", "/users", "/audit", "/contacts/trash"):
        answer = bob.goto(path)
        assert answer and answer.status == 403, path
        expect(bob.get_by_role("heading", level=1)).to_be_visible()
        expect(bob.locator("main")).to_contain_text("Reference")
    bob.locator("main").get_by_role("link", name="Home").click()
    expect(bob.get_by_role("heading", level=1)).to_contain_text("Bob")


def test_keys_that_change_do_nothing_for_a_reader(bob: Page) -> None:
    bob.goto("/contacts")
    before = bob.url
    for key in ("n", "e", "x"):
        bob.keyboard.press(key)
    bob.keyboard.press("?")
    expect(bob.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert bob.url == before
