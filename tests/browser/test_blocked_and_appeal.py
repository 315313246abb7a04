"""An address that guesses is blocked; its owner reads why, asks, and is let in: from the first guess to the answer."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Browsers
from tests.fixtures.page_checks import csrf_token_in

pytestmark = pytest.mark.promise("P5")
# The product trusts no proxy here, so every browser comes from this machine's own address.
GUESSES = 45


def test_from_the_block_to_the_answer(browsers: Browsers, browser_at: Callable[..., Page]) -> None:
    sam, olivia, alice = browsers.log_in("sam"), browsers.log_in("olivia"), browsers.log_in("alice")
    stranger = browser_at(browsers.product.people["alice"].host, java_script_enabled=False)
    guess_until_blocked(stranger, browsers.product.address("acme"))
    try:
        reference = stranger.locator("dd code").inner_text()
        expect(stranger.get_by_text("Expires", exact=True)).to_be_visible()
        appeal(stranger)
        # A user who is signed in goes on working, and sees whom the block hits.
        alice.goto("/access-log/blocks")
        expect(alice.get_by_role("table")).to_contain_text("127.0.0.1")
        sam.goto("/work")
        sam.get_by_role("link", name=f"Blocked address, reference {reference}").click()
        expect(sam.locator(".thread")).to_contain_text("We share this line with a school.")
        sam.get_by_label("Reply", exact=True).fill("Thank you. You can sign in again.")
        sam.get_by_role("button", name="Reply and solve").click()
        expect(sam.locator(".thread")).to_contain_text("You can sign in again.")
    finally:
        lift_all(olivia)
    stranger.goto("/login")
    expect(stranger.get_by_label("Password")).to_be_visible()


def guess_until_blocked(page: Page, origin: str) -> None:
    """By plain requests from the same address: drawing a page for each guess would take half a minute."""
    host, port = urlsplit(origin).netloc, urlsplit(origin).port
    headers = {"Host": host, "Origin": origin, "Content-Type": "application/x-www-form-urlencoded"}
    for number in range(GUESSES):
        shown = asked(port, "GET", {"Host": host})
        if shown.status == 403:
            break
        cookie = str(shown.headers["Set-Cookie"]).partition(";")[0]
        guess = {"email": f"guess{number}@example.com", "password": "wrong wrong wrong"}
        body = urlencode({**guess, "csrf_token": csrf_token_in(shown.read().decode())})
        asked(port, "POST", {**headers, "Cookie": cookie}, body)
    page.goto("/login")
    expect(page.get_by_role("heading", level=1, name="This address is temporarily blocked")).to_be_visible()


def asked(port: int | None, method: str, headers: dict[str, str], body: str | None = None) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, "/login", body, headers)
    return connection.getresponse()


def appeal(page: Page) -> None:
    page.get_by_label("Email").fill("not an address")
    page.get_by_label("What happened?").fill("We share this line with a school.")
    page.wait_for_timeout(3_200)
    page.get_by_role("button", name="Send").click()
    # A mistake loses nothing.
    expect(page.get_by_label("What happened?")).to_have_value("We share this line with a school.")
    page.get_by_label("Email").fill("teacher@school.example")
    page.wait_for_timeout(3_200)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1, name="Message sent")).to_be_visible()


def lift_all(page: Page) -> None:
    page.goto("/addresses")
    while page.get_by_role("button", name="Remove", exact=True).count():
        row = page.get_by_role("table").first.get_by_role("row").nth(1)
        row.get_by_placeholder("Reason").fill("It was a school")
        row.get_by_role("button", name="Remove", exact=True).click()
        page.wait_for_load_state()
