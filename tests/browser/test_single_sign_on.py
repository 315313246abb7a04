"""From setting a provider up to single sign-on as the only sign-in, and back."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Browsers
from tests.fixtures.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider

PAGE, POLICY = "/settings/single-sign-on", "/settings/sign-in-policy"


def test_the_whole_way(browsers: Browsers, identity_provider: IdentityProvider) -> None:
    alice = browsers.log_in("alice")
    person = browsers.product.people["alice"]
    identity_provider.person = {"email": person.email}
    set_up(alice, identity_provider)
    sign_on(browsers, alice)
    # She came by it herself, so she may make it the only way.
    alice.goto(POLICY)
    alice.get_by_label("Single sign-on only").check()
    save_policy(alice)
    expect(alice.get_by_role("heading", name="Your emergency code")).to_be_visible()
    code = alice.locator(".break-glass-code code").inner_text()
    visitor = browsers.open("acme")
    visitor.goto("/login")
    expect(visitor.get_by_role("link", name="Sign in with Acme ID")).to_be_visible()
    expect(visitor.get_by_label("Password")).to_have_count(0)
    identity_provider.close()
    break_the_glass(browsers, visitor, code)
    # And back to how it was, by the password that the glass lets in.
    visitor.goto(POLICY)
    visitor.get_by_label(re.compile("Password, passkey or single sign-on")).check()
    save_policy(visitor)
    expect(visitor.get_by_text("Sign-in policy saved")).to_be_visible()
    visitor.goto(PAGE)
    visitor.get_by_role("button", name="Remove").click()
    visitor.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(visitor.get_by_text("Provider removed")).to_be_visible()


def set_up(page: Page, provider: IdentityProvider) -> None:
    page.goto(PAGE)
    page.get_by_label("Issuer").fill(provider.issuer)
    page.get_by_label("Client ID").fill(CLIENT_ID)
    page.get_by_label("Client secret").fill(CLIENT_SECRET)
    page.get_by_label("Display name").fill("Acme ID")
    page.get_by_role("button", name="Save provider").click()
    page.get_by_role("link", name="Test").click()
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_text("Single sign-on works")).to_be_visible()
    page.get_by_role("link", name="Back").click()
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("Single sign-on is on")).to_be_visible()


def sign_on(browsers: Browsers, page: Page) -> None:
    page.context.clear_cookies()
    page.goto("/contacts")
    page.get_by_role("link", name="Sign in with Acme ID").click()
    page.get_by_role("link", name="Go on").click()
    expect(page).to_have_url(re.compile("/contacts$"))
    page.goto("/profile/sessions")
    expect(page.get_by_role("row", name="(this device)")).to_contain_text("Single sign-on")


def save_policy(page: Page) -> None:
    page.get_by_role("button", name="Preview changes").click()
    page.get_by_role("button", name="Save policy").click()


def break_the_glass(browsers: Browsers, page: Page, code: str) -> None:
    person = browsers.product.people["alice"]
    page.get_by_role("link", name="Sign in with Acme ID").click()
    expect(page.get_by_role("heading", name="does not respond")).to_be_visible()
    page.get_by_role("link", name="Use an emergency code").click()
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.get_by_label("Emergency code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Alice")
