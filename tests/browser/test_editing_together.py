"""Two people at the same record: the second one sees what changed, and loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import Page, expect

_numbers = count(1)


@pytest.fixture
def alice(browser_of: Callable[..., Page]) -> Page:
    return browser_of("alice")


@pytest.fixture
def ben(browser_of: Callable[..., Page]) -> Page:
    return browser_of("ben")


def make_contact(page: Page) -> str:
    """A new contact, made by the form; returns its path."""
    page.goto("/contacts/new")
    page.get_by_label("First name").fill("Greta")
    page.get_by_label("Last name").fill(f"Together{next(_numbers)}")
    page.get_by_label("Job title").fill("Buyer")
    page.get_by_role("button", name="Save contact").click()
    page.wait_for_url(lambda address: "/new" not in address)
    return "/contacts/" + page.url.rpartition("/contacts/")[2]


def test_the_second_edit_of_a_field_asks_which_one_stays(alice: Page, ben: Page) -> None:
    contact = make_contact(alice)
    for page in (alice, ben):
        page.goto(f"{contact}/edit")
    alice.get_by_label("Job title").fill("Head of buying")
    alice.get_by_role("button", name="Save contact").click()
    expect(alice.get_by_text("Head of buying").first).to_be_visible()
    ben.get_by_label("Job title").fill("Senior buyer")
    ben.get_by_label("Department").fill("Purchasing")
    ben.get_by_role("button", name="Save contact").click()
    expect(ben.get_by_text("Alice Arden saved changes while you were editing")).to_be_visible()
    group = ben.get_by_role("group", name="Job title: which one to keep?")
    expect(group).to_contain_text("Head of buying")
    group.get_by_label("Senior buyer").check()
    ben.get_by_role("button", name="Save selection").click()
    # What Ben chose and what he typed elsewhere are both there, and the timeline knows all three edits.
    expect(ben.locator("#fact-job_title")).to_contain_text("Senior buyer")
    expect(ben.locator("#timeline")).to_contain_text("Purchasing")
    alice.reload()
    timeline = alice.locator("#timeline")
    for words in ("Buyer", "Head of buying", "Senior buyer", "Ben Okafor"):
        expect(timeline).to_contain_text(words)


def test_edits_of_different_fields_are_both_kept(alice: Page, ben: Page) -> None:
    contact = make_contact(alice)
    for page in (alice, ben):
        page.goto(f"{contact}/edit")
    alice.get_by_label("Job title").fill("Owner")
    alice.get_by_role("button", name="Save contact").click()
    expect(alice.locator("#fact-job_title")).to_contain_text("Owner")
    ben.get_by_label("Middle name").fill("Maria")
    ben.get_by_role("button", name="Save contact").click()
    expect(ben.get_by_text("You changed different fields")).to_be_visible()
    ben.get_by_role("button", name="Keep both edits").click()
    expect(ben.get_by_role("heading", level=1, name="Greta Maria")).to_be_visible()
    expect(ben.locator("#fact-job_title")).to_contain_text("Owner")


def test_a_field_edited_in_its_place_says_who_was_faster(alice: Page, ben: Page) -> None:
    contact = make_contact(alice)
    for page in (alice, ben):
        page.goto(contact)
        page.locator("#fact-job_title").hover()
        page.get_by_role("link", name="Change Job title").click()
        expect(page.locator("#in-place-job_title")).to_be_focused()
    alice.locator("#in-place-job_title").fill("Director")
    alice.locator("#in-place-job_title").press("Enter")
    expect(alice.locator("#fact-job_title dd")).to_contain_text("Director")
    # The timeline beside it follows without a reload.
    expect(alice.locator("#timeline")).to_contain_text("Director")
    ben.locator("#in-place-job_title").fill("Chair")
    ben.locator("#in-place-job_title").press("Enter")
    expect(ben.get_by_text("Someone else changed this to “Director”")).to_be_visible()
    expect(ben.locator("#in-place-job_title")).to_have_value("Chair")
    ben.get_by_role("button", name="Save", exact=True).click()
    expect(ben.locator("#fact-job_title dd")).to_contain_text("Chair")


def test_a_field_in_its_place_is_left_with_escape(alice: Page) -> None:
    alice.goto(make_contact(alice))
    alice.locator("#fact-job_title").hover()
    alice.get_by_role("link", name="Change Job title").click()
    expect(alice.locator("#in-place-job_title")).to_be_focused()
    alice.keyboard.type("Nobody")
    alice.keyboard.press("Escape")
    expect(alice.locator("#in-place-job_title")).to_have_count(0)
    expect(alice.locator("#fact-job_title dd")).to_contain_text("Buyer")
