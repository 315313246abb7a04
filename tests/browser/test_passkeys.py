"""From the invitation to the first login by passkey, with a device that Chromium pretends to have."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Browsers

pytestmark = pytest.mark.promise("P10")
WORDS = "green kettle on the stairs"


def virtual_device(page: Page) -> None:
    """A device with a lock that its owner opens at once (CDP's WebAuthn domain)."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    device = options | {"isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": device})


def link_to(browsers: Browsers, address: str) -> str:
    visitor = browsers.open("")
    row = visitor.get_by_role("row", name=address).first
    # The mail leaves by a worker, a moment after the page that asked for it.
    for _ in range(60):
        visitor.goto(f"/mails/?q={address}")
        if row.count():
            break
        visitor.wait_for_timeout(500)
    row.get_by_role("link").click()
    return visitor.locator(".mail-text a").first.get_attribute("href") or ""


def test_from_the_invitation_to_a_login_with_nothing_but_a_passkey(browsers: Browsers) -> None:
    alice = browsers.log_in("alice")
    alice.goto("/users/invitation")
    alice.get_by_label("Name", exact=True).fill("Pia Passkey")
    alice.get_by_label("Email").fill("pia@acme.example")
    alice.get_by_role("button", name="Send invitation").click()
    expect(alice.get_by_text("on its way")).to_be_visible()
    pia = browsers.open("acme")
    virtual_device(pia)
    pia.goto(link_to(browsers, "pia@acme.example"))
    choose_password(pia)
    add_passkey(pia)
    pia.goto("/")
    log_out(pia)
    # With nothing typed.
    expect(pia.get_by_role("heading", name="Sign in")).to_be_visible()
    pia.get_by_role("button", name="Sign in with a passkey").click()
    expect(pia.get_by_role("heading", level=1)).to_contain_text("Pia")
    log_out(pia)
    # With the password, the passkey is the second step.
    pia.get_by_label("Email").fill("pia@acme.example")
    pia.get_by_label("Password").fill(WORDS)
    pia.get_by_role("button", name="Sign in", exact=True).click()
    expect(pia.get_by_role("heading", name="Two-step verification")).to_be_visible()
    pia.get_by_role("button", name="Use a passkey").click()
    expect(pia.get_by_role("heading", level=1)).to_contain_text("Pia")


def log_out(pia: Page) -> None:
    pia.locator("details.me summary").click()
    pia.get_by_role("button", name="Sign out").first.click()


def choose_password(pia: Page) -> None:
    pia.get_by_role("textbox", name="Password").fill("short")
    expect(pia.locator(".strength-words")).to_contain_text("Not accepted")
    pia.get_by_role("textbox", name="Password").fill(WORDS)
    expect(pia.locator(".strength-words")).not_to_contain_text("Not accepted")
    pia.get_by_role("button", name="Get started").click()
    expect(pia.get_by_role("heading", level=1)).to_contain_text("Pia")


def add_passkey(pia: Page) -> None:
    pia.goto("/profile/security")
    pia.get_by_role("link", name="Add a passkey").click()
    pia.get_by_label("Name").fill("Pretended laptop")
    pia.get_by_role("button", name="Create passkey").click()
    expect(pia.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    expect(pia.locator(".code-list li")).to_have_count(10)
    with pia.expect_download() as download:
        pia.get_by_role("link", name="Save as a file").click()
    kept = download.value.path().read_text(encoding="utf-8")
    assert pia.locator(".code-list code").first.inner_text() in kept
    pia.get_by_role("link", name="Done").click()
    expect(pia.get_by_text("Pretended laptop").first).to_be_visible()
    expect(pia.get_by_text("10 of 10 codes left")).to_be_visible()
