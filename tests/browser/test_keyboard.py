"""Without a mouse: sign in, search, open, edit, close."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product


@pytest.fixture
def page(browser_at: Callable[..., Page], product: Product) -> Page:
    """Signed in by keys alone: the first field has the focus, Tab goes on, Enter sends."""
    page = browser_at("acme")
    person = product.people["alice"]
    page.goto("/contacts")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.type(person.email)
    page.keyboard.press("Tab")
    page.keyboard.type(person.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Contacts")).to_be_visible()
    page.wait_for_load_state()
    return page


def first_name_in(page: Page) -> str:
    return page.locator("a.record-link").first.inner_text().splitlines()[-1]


def test_a_contact_is_searched_and_opened(page: Page) -> None:
    name = first_name_in(page)
    page.goto("/profile")
    page.keyboard.press("/")
    palette = page.get_by_role("dialog", name="Search everything")
    expect(palette.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type(name)
    expect(palette.locator(".palette-item").first).to_contain_text(name)
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(palette.locator(".palette-item").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("heading", level=1, name=f"Edit {name}")).to_be_visible()


def test_a_list_is_narrowed_while_one_types_and_walked_with_j_and_k(page: Page) -> None:
    name = first_name_in(page)
    page.get_by_label("Search contacts", exact=True).focus()
    page.keyboard.type(name)
    expect(page).to_have_url(re.compile(r"[?&]q="))
    expect(page.locator("a.record-link").first).to_contain_text(name)
    page.keyboard.press("Escape")
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    expect(page.locator("tbody tr").first).to_have_class(re.compile("is-current"))
    expect(page.locator("tbody tr").first.locator("a.record-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def test_after_a_field_is_saved_in_place_the_focus_stays_and_it_is_said(page: Page) -> None:
    page.goto("/contacts")
    page.locator("a.record-link").first.click()
    page.get_by_role("link", name="Change Job title").focus()
    page.keyboard.press("Enter")
    field = page.locator(".fact-form .input")
    expect(field).to_be_focused()
    field.fill("Head of everything")
    page.keyboard.press("Enter")
    expect(page.locator("#fact-job_title")).to_contain_text("Head of everything")
    expect(page.get_by_role("link", name="Change Job title")).to_be_focused()
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Job title saved.")
    # Leaving without saving, the focus is back there too.
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Change Job title")).to_be_focused()


def test_headings_stand_at_the_same_place_on_lists_forms_and_wizards(page: Page) -> None:
    places = set()
    for path in ("/contacts", "/contacts/new", "/imports/", "/imports/new", "/exports/new", "/search?q=an"):
        page.goto(path)
        box = page.get_by_role("heading", level=1).bounding_box()
        assert box
        places.add((round(box["x"]), round(box["y"] + box["height"] / 2)))
    assert len(places) == 1, places


def test_question_mark_lists_the_keys_and_escape_closes_them(page: Page) -> None:
    page.keyboard.press("?")
    shortcuts = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(shortcuts).to_be_visible()
    page.keyboard.press("Escape")
    expect(shortcuts).to_be_hidden()


def test_the_first_tab_skips_to_the_content(page: Page) -> None:
    page.goto("/contacts")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_a_new_contact_is_typed_and_saved(page: Page) -> None:
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1, name="New contact")).to_be_visible()
    page.get_by_label("First name").focus()
    page.keyboard.type("Keyla")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Keyla")).to_be_visible()
