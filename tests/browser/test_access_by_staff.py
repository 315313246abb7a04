"""A customer lets support in: given by a form, used at the console, seen while it happens, and ended."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Browsers

REASON = "Ada's phone number is shown wrong since the last import"


@pytest.mark.promise("P8")
@pytest.mark.promise("P12")
def test_access_is_given_used_seen_and_ended(browsers: Browsers) -> None:
    alice, sam = browsers.log_in("alice"), browsers.log_in("sam")
    reference = give_access(alice)
    go_inside(sam, reference)
    expect(sam.get_by_role("note")).to_contain_text("You are in a support session in Acme Industrial. View records")
    sam.locator("main table .record-link").first.click()
    sam.wait_for_url(re.compile("/contacts/."))
    name = sam.get_by_role("heading", level=1).inner_text()
    expect(sam.get_by_role("link", name="Settings")).to_have_count(0)
    see_what_was_opened(alice, reference, name)
    end_it(alice)
    sam.reload()
    expect(sam.get_by_label("Email")).to_be_visible()
    sam.goto("/tenants/acme/support")
    expect(sam.get_by_text(reference)).to_have_count(0)


def give_access(alice: Page) -> str:
    alice.goto("/access")
    alice.get_by_role("link", name="Grant access").first.click()
    expect(alice.get_by_label("View records:")).to_be_checked()
    alice.get_by_label("Reason").fill(REASON)
    alice.get_by_role("button", name="Grant access").click()
    expect(alice.get_by_text("Active", exact=True)).to_be_visible(timeout=30_000)
    return alice.get_by_role("heading", level=1).inner_text()


def go_inside(sam: Page, reference: str) -> None:
    sam.goto("/tenants/acme/support")
    row = sam.get_by_role("row", name=reference)
    expect(row).to_contain_text(REASON)
    row.get_by_role("button", name="Start session").click()
    expect(sam.get_by_role("heading", level=1)).to_have_text("Start a support session")
    sam.get_by_role("button", name="Start session").click()
    sam.wait_for_url(re.compile("/contacts"))


def see_what_was_opened(alice: Page, reference: str, name: str) -> None:
    alice.reload()
    entry = alice.get_by_role("row", name="Sam")
    expect(entry).to_contain_text(reference)
    expect(alice.locator(".audit-list")).to_contain_text("Contact: viewed")
    expect(alice.locator(".audit-list")).to_contain_text(name)
    alice.get_by_role("link", name="Notifications").first.click()
    expect(alice.get_by_text(f"of QikBiz support accessed your workspace: {REASON}").first).to_be_visible()
    alice.go_back()


def end_it(alice: Page) -> None:
    alice.get_by_role("button", name="End now").click()
    expect(alice.get_by_text("Ended", exact=True)).to_be_visible()
