"""A new customer: an operator creates the organisation, its administrator follows the mail and starts with nothing."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Browsers

ADMINISTRATOR = "ines@initech.example"


def test_an_operator_creates_a_tenant_and_its_administrator_moves_in(browsers: Browsers) -> None:
    olivia = browsers.log_in("olivia")
    create_tenant(olivia)
    link = link_in_the_invitation(browsers.open(""))
    ines = browsers.open("initech")
    ines.goto(link)
    expect(ines.get_by_role("heading", level=1, name="Welcome to Initech")).to_be_visible()
    ines.get_by_label("Your name").fill("Ines Initech")
    # A common password is refused, and nothing else is lost.
    ines.get_by_role("textbox", name="Password").fill("passwordpassword")
    ines.get_by_role("button", name="Get started").click()
    expect(ines.get_by_role("alert")).to_be_visible()
    expect(ines.get_by_label("Your name")).to_have_value("Ines Initech")
    ines.get_by_role("textbox", name="Password").fill("green kettle on the stairs")
    ines.get_by_role("button", name="Get started").click()
    expect_an_empty_organisation(ines)
    expect_the_link_to_work_once(browsers.open("initech"), link)


def create_tenant(olivia: Page) -> None:
    olivia.get_by_role("link", name="New tenant").click()
    olivia.get_by_label("Organisation").fill("Initech")
    olivia.get_by_label("Address").fill("www")
    olivia.get_by_label("Administrator's email").fill(ADMINISTRATOR)
    olivia.get_by_role("button", name="Create tenant").click()
    expect(olivia.get_by_text("Not created")).to_be_visible()
    olivia.get_by_label("Address").fill("initech")
    olivia.get_by_role("button", name="Create tenant").click()
    # The page shows how far it is, and when it is done, without a reload.
    expect(olivia.locator("#job-progress")).to_contain_text("Done", timeout=60_000)
    olivia.get_by_role("link", name="Go to initech").click()
    expect(olivia.get_by_role("heading", level=1, name="Initech")).to_be_visible()
    expect(olivia.get_by_text("Active").first).to_be_visible()


def link_in_the_invitation(visitor: Page) -> str:
    """Read as its administrator would: in the list of mails, then in the text of the one to her."""
    visitor.goto(f"/mails/?q={ADMINISTRATOR}")
    visitor.get_by_role("row", name=ADMINISTRATOR).get_by_role("link").click()
    link = visitor.locator(".mail-text a").first
    # The mail as it looks has the same link.
    frame = visitor.frame_locator("iframe.mail-frame")
    address = link.get_attribute("href") or ""
    expect(frame.locator(f'a[href="{address}"]').first).to_be_visible()
    return address


def expect_an_empty_organisation(ines: Page) -> None:
    expect(ines.get_by_role("heading", level=1)).to_contain_text("Ines")
    ines.get_by_role("link", name="Contacts").first.click()
    expect(ines.get_by_role("heading", name="No contacts yet")).to_be_visible()
    expect(ines.locator("main").get_by_role("link", name="Import a file").last).to_be_visible()
    ines.get_by_role("link", name="Companies").first.click()
    expect(ines.get_by_role("heading", name="No companies yet")).to_be_visible()


def expect_the_link_to_work_once(stranger: Page, link: str) -> None:
    stranger.goto(link)
    expect(stranger.get_by_label("Password")).to_have_count(0)
    expect(stranger.get_by_role("heading", level=1)).not_to_contain_text("Welcome")
