"""A mail arrives at a real server, is stopped by the one click of its header, and the pages say so (P18)."""

from __future__ import annotations

import http.client
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from provisioning.embedded.processes import wait_until
from tests.browser.conftest import Browsers, OutboxMailServer

pytestmark = pytest.mark.promise("P18")


def test_one_click_in_a_received_mail_stops_its_kind(browsers: Browsers, mail_server: OutboxMailServer) -> None:
    alice = browsers.log_in("alice")
    with_nothing_unread(alice)
    before = len(mail_server.taken)
    ben = browsers.log_in("ben")
    give_a_contact_to_alice(ben)
    mail = received(mail_server, browsers.product.people["alice"].email, after=before)
    assert "assigned the contact" in mail["Subject"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = re.fullmatch(r"<(http://acme\.localhost:\d+(/unsubscribe/[\w-]+))>", mail["List-Unsubscribe"])
    assert link

    # A scanner opens the link first: nothing happens by that.
    visitor = browsers.open("acme")
    visitor.goto(link[1])
    expect(visitor.get_by_role("heading", level=1, name="Unsubscribe?")).to_be_visible()

    # The mail program sends the one click: no cookie, no token, no page.
    assert one_click(link[1], link[2]) == 200
    visitor.reload()
    expect(visitor.get_by_role("heading", level=1, name="You are unsubscribed")).to_be_visible()
    alice.goto("/profile/mails")
    expect(alice.get_by_label("Assigned to you")).to_have_value("app")

    before = len(mail_server.taken)
    give_a_contact_to_alice(ben)
    alice.goto("/notifications?show=unread")
    expect(alice.locator(".news-item")).to_have_count(2)
    expect(alice.locator(".sidebar .unread")).to_contain_text("2")
    assert len(mail_server.taken) == before

    # She follows one, which is then read, and wants the mails back.
    alice.locator(".news-words a").first.click()
    alice.wait_for_url(re.compile("/contacts/"))
    alice.goto("/notifications")
    expect(alice.locator(".news-unread")).to_have_count(1)
    alice.get_by_role("button", name="Mark all as read").click()
    expect(alice.locator(".news-unread")).to_have_count(0)
    expect(alice.locator(".sidebar .unread")).to_have_count(0)
    alice.goto("/profile/mails")
    alice.get_by_label("Assigned to you").select_option("on")
    alice.get_by_role("button", name="Save").click()
    expect(alice.get_by_text("Saved.")).to_be_visible()
    give_a_contact_to_alice(ben)
    assert received(mail_server, browsers.product.people["alice"].email, after=before)


def test_a_person_stops_them_by_the_page_without_scripts(browsers: Browsers, mail_server: OutboxMailServer) -> None:
    before = len(mail_server.taken)
    give_a_contact_to_alice(browsers.log_in("ben"))
    link = received(mail_server, browsers.product.people["alice"].email, after=before)["List-Unsubscribe"].strip("<>")
    page = browsers.open("acme", java_script_enabled=False)
    page.goto(link)
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", level=1, name="You are unsubscribed")).to_be_visible()


def with_nothing_unread(page: Page) -> None:
    """Others have used the product as well."""
    page.goto("/notifications")
    if (button := page.get_by_role("button", name="Mark all as read")).count():
        button.click()
    expect(page.locator(".news-unread")).to_have_count(0)


def give_a_contact_to_alice(page: Page) -> None:
    """The first of those that are still the giver's own."""
    page.goto("/contacts?owner_id=me")
    page.locator('input[name="ids"]').first.check()
    page.locator("#several-owner").select_option(label="Alice Arden")
    page.get_by_role("button", name="Set owner").click()
    expect(page.get_by_text("Changed 1 contact.")).to_be_visible()


def received(mail_server: OutboxMailServer, address: str, *, after: int = 0) -> EmailMessage:
    """The newest mail that can be stopped, once it is there."""

    def found() -> list[EmailMessage]:
        messages = [
            message_from_bytes(taken.original_content or b"", policy=default) for taken in mail_server.taken[after:]
        ]
        wanted = [one for one in messages if one["List-Unsubscribe"] and address in one["To"]]
        return [one for one in wanted if isinstance(one, EmailMessage)]

    assert wait_until(lambda: bool(found()), seconds=90)
    return found()[-1]


def one_click(url: str, path: str) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=20)
    headers = {"Host": parts.netloc, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", path, "List-Unsubscribe=One-Click", headers)
    return connection.getresponse().status
