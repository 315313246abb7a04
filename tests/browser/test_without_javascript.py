"""All that matters works when scripts are off: sign in, look, search, create, edit, upload, ask for an export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from provisioning.embedded.processes import wait_until


@pytest.fixture
def page(browser_of: Callable[..., Page]) -> Page:
    return browser_of("ben", java_script_enabled=False)


def test_a_list_is_searched_sorted_and_filtered(page: Page) -> None:
    page.goto("/contacts")
    first = page.locator("a.record-link").first.inner_text()
    page.get_by_role("link", name="Name").click()
    expect(page.locator("a.record-link").first).not_to_have_text(first)
    page.get_by_label("Search contacts", exact=True).fill("kahananui")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator("a.record-link").first).to_contain_text("Kahananui")
    page.locator("summary", has_text="Filter").click()
    page.get_by_role("link", name="Choose filters").click()
    page.get_by_label("Stage").select_option("Customer")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".filter-chips, .chips").first).to_contain_text("Customer")


def test_a_contact_is_created_and_edited(page: Page) -> None:
    page.goto("/contacts")
    page.get_by_role("link", name="New contact").click()
    page.get_by_label("First name").fill("Norah")
    page.get_by_label("Last name").fill("Scriptless")
    page.get_by_label("Emails").first.fill("norah@")
    page.get_by_role("button", name="Save contact").click()
    # A mistake loses nothing, and is said at the top with a way to the field.
    expect(page.get_by_role("alert").first).to_contain_text("email")
    expect(page.get_by_label("Last name")).to_have_value("Scriptless")
    page.get_by_label("Emails").first.fill("norah@scriptless.example")
    page.get_by_role("button", name="Save contact").click()
    expect(page.get_by_role("heading", level=1, name="Norah Scriptless")).to_be_visible()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Job title").fill("Archivist")
    page.get_by_role("button", name="Save contact").click()
    expect(page.locator("#fact-job_title")).to_contain_text("Archivist")


def test_a_file_is_uploaded_checked_and_imported(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "plain.csv"
    file.write_text(f"First name,E-mail\nPlainly,{uuid4().hex}@scriptless.example\n")
    page.goto("/imports/new")
    page.get_by_label("Choose a CSV file").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Continue").click()
    press(page, "Check the file")
    reload_until(page, "Import 1 row")
    press(page, "Import 1 row")
    reload_until(page, "View contacts", role="link")


def press(page: Page, name: str) -> None:
    """Press a button, and wait for what it leads to: a reload at once would cancel what was sent."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def reload_until(page: Page, name: str, *, role: str = "button") -> None:
    """Without scripts a page does not follow by itself: its person loads it again."""

    def is_there() -> bool:
        page.reload()
        return page.get_by_role(role, name=name).count() > 0  # type: ignore[arg-type]

    assert wait_until(is_there, seconds=20)


def test_logging_out_is_a_button_in_a_menu_that_opens(page: Page) -> None:
    page.goto("/contacts")
    page.locator("details.me summary").click()
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
