"""P4 in a real Chromium that blocks all cookies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.product import Product
from tests.fixtures.browsers import CHROMIUM, FLAGS

BLOCK_ALL = 2


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def blocking(chromium: Browser, product: Product, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A browser with “Block all cookies” chosen in its settings."""
    preferences = {"profile": {"default_content_setting_values": {"cookies": BLOCK_ALL}}}
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(preferences))
    context = chromium.browser_type.launch_persistent_context(
        tmp_path,
        executable_path=CHROMIUM,
        args=FLAGS,
        base_url=product.address("acme"),
        java_script_enabled=request.param,
    )
    yield context.pages[0]
    context.close()


@pytest.mark.promise("P4")
def test_logging_in_says_that_cookies_are_refused_and_how_to_allow_them(blocking: Page, product: Product) -> None:
    alice = product.people["alice"]
    blocking.goto("/login")
    blocking.get_by_label("Email").fill(alice.email)
    blocking.get_by_label("Password", exact=True).fill(alice.password)
    blocking.get_by_role("button", name="Sign in", exact=True).click()
    expect(blocking.get_by_role("heading", level=1, name="Your browser blocks our cookies")).to_be_visible()
    assert blocking.context.cookies() == []
    own = blocking.locator("details[open] summary")
    expect(own).to_have_text("Google Chrome")
    expect(blocking.get_by_text("Click the symbol at the left of the address")).to_be_visible()
    blocking.get_by_role("link", name="Sign in again").click()
    expect(blocking.get_by_label("Email")).to_be_visible()
