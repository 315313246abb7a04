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
    alice.get_by_label("By single sign-on only").check()
    save_policy(alice)
    expect(alice.get_by_role("heading", name="Your break-glass code")).to_be_visible()
    code = alice.locator(".break-glass-code code").inner_text()
    visitor = browsers.open("acme")
    visitor.goto("/login")
    expect(visitor.get_by_role("link", name="Log in with Acme ID")).to_be_visible()
    expect(visitor.get_by_label("Password")).to_have_count(0)
    identity_provider.close()
    break_the_glass(browsers, visitor, code)
    # And back to how it was, by the password that the glass lets in.
    visitor.goto(POLICY)
    visitor.get_by_label(re.compile("With a password or a passkey")).check()
    save_policy(visitor)
    expect(visitor.get_by_text("The sign-in policy is in force")).to_be_visible()
    visitor.goto(PAGE)
    visitor.get_by_role("button", name="Remove").click()
    visitor.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(visitor.get_by_text("are gone")).to_be_visible()


def set_up(page: Page, provider: IdentityProvider) -> None:
    page.goto(PAGE)
    page.get_by_label("Issuer").fill(provider.issuer)
    page.get_by_label("Client ID").fill(CLIENT_ID)
    page.get_by_label("Client secret").fill(CLIENT_SECRET)
    page.get_by_label("What people call it").fill("Acme ID")
    page.get_by_role("button", name="Save the provider").click()
    page.get_by_role("link", name="Try it").click()
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_text("It works")).to_be_visible()
    page.get_by_role("link", name="Back").click()
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("offers single sign-on now")).to_be_visible()


def sign_on(browsers: Browsers, page: Page) -> None:
    page.context.clear_cookies()
    page.goto("/contacts")
    page.get_by_role("link", name="Log in with Acme ID").click()
    page.get_by_role("link", name="Go on").click()
    expect(page).to_have_url(re.compile("/contacts$"))
    page.goto("/profile/sessions")
    expect(page.get_by_role("row", name="(this device)")).to_contain_text("Single sign-on")


def save_policy(page: Page) -> None:
    page.get_by_role("button", name="See what this does").click()
    page.get_by_role("button", name="Save the policy").click()


def break_the_glass(browsers: Browsers, page: Page, code: str) -> None:
    person = browsers.product.people["alice"]
    page.get_by_role("link", name="Log in with Acme ID").click()
    expect(page.get_by_role("heading", name="does not answer")).to_be_visible()
    page.get_by_role("link", name="Use a break-glass code").click()
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.get_by_label("Break-glass code").fill(code)
    page.get_by_role("button", name="Log in from here").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Alice")
