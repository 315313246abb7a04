"""A remembered login survives closing the browser; signing out everywhere else ends every other one."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Browsers


def expect_logged_in(page: Page) -> None:
    page.goto("/contacts")
    expect(page.get_by_role("heading", level=1, name="Contacts")).to_be_visible()


def expect_logged_out(page: Page) -> None:
    page.goto("/contacts")
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()


def test_a_remembered_login_survives_closing_the_browser(browsers: Browsers) -> None:
    again = browsers.close_and_open_again(browsers.log_in("ben", remember=True))
    expect_logged_in(again)
    # The token was used up and replaced, so that it works a second time as well.
    expect_logged_in(browsers.close_and_open_again(again))


def test_a_login_that_is_not_remembered_ends_with_the_browser(browsers: Browsers) -> None:
    expect_logged_out(browsers.close_and_open_again(browsers.log_in("ben", anew=True)))


def test_a_remembered_device_opens_many_tabs_at_once(browsers: Browsers) -> None:
    again = browsers.close_and_open_again(browsers.log_in("ben", remember=True))
    tabs = [again, *(again.context.new_page() for _ in range(3))]
    for tab in tabs:
        # `commit` waits for no page, so that all of them arrive with the same token.
        tab.goto("about:blank")
        tab.evaluate(
            "address => setTimeout(() => { location.href = address }, 100)",
            browsers.product.address("acme") + "/contacts",
        )
    for tab in tabs:
        expect(tab.get_by_role("heading", level=1, name="Contacts")).to_be_visible()


def test_logging_out_everywhere_else_ends_the_other_browsers(browsers: Browsers) -> None:
    forgotten, other, own = (
        browsers.log_in("ben", remember=True),
        browsers.log_in("ben"),
        browsers.log_in("ben", anew=True),
    )
    for page in (forgotten, other):
        expect_logged_in(page)
    own.goto("/profile/sessions")
    expect(own.get_by_text("(this device)")).to_be_visible()
    own.get_by_role("button", name="Sign out everywhere else").click()
    expect(own.get_by_role("row")).to_have_count(2)
    expect_logged_in(own)
    for page in (forgotten, other):
        expect_logged_out(page)
    expect_logged_out(browsers.close_and_open_again(forgotten))


def test_a_logged_out_page_shows_nothing_by_going_back(browsers: Browsers) -> None:
    page = browsers.log_in("ben")
    expect_logged_in(page)
    page.locator("details.me summary").click()
    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url(re.compile("/login|/$"))
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
    expect(page.locator("a.record-link")).to_have_count(0)
