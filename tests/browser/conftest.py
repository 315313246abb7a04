"""Real people at real browsers: `browser_of("alice")` is a page of a new browser in which Alice has signed in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from playwright.sync_api import Browser, BrowserContext, Page, expect

from provisioning import assets
from qikbiz.messaging.mail import dev_outbox
from tenants.control import new_id
from tests.browser.product import Person, Product
from tests.fixtures.ports import free_port
from tests.mail.conftest import FakeMailServer

# Generous, since others may use the machine as well; a quick answer is not made slower by it.
MILLISECONDS = 20_000
YOUNG_SECONDS = 300.0

expect.set_options(timeout=MILLISECONDS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


class OutboxMailServer(FakeMailServer):
    """A mail server that puts what it takes on the page of mails too, as the product does when it has no server."""

    dev_outbox: Path

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        message = message_from_bytes(envelope.original_content or b"", policy=default)
        assert isinstance(message, EmailMessage)
        dev_outbox.write(self.sink, new_id(), message)
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture(scope="package")
def mail_server() -> OutboxMailServer:
    """What the product's mail server took."""
    return OutboxMailServer()


# Not the session's: its processes look for work all the time, also beside the tests that come after these.
@pytest.fixture(scope="package")
def product(chromium: Browser, mail_server: OutboxMailServer) -> Iterator[Product]:
    assets.build()
    port = free_port()
    product = Product(settings={"QIKBIZ_SMTP_URL": f"smtp://127.0.0.1:{port}"})
    mail_server.sink = product.home / "mail"
    server = Controller(mail_server, hostname="127.0.0.1", port=port)
    server.start()
    try:
        product.start()
        yield product
    finally:
        product.discard()
        server.stop()


class Browsers:
    """Opens browsers of people, each with cookies of its own, and collects the errors of their pages."""

    def __init__(self, chromium: Browser, product: Product) -> None:
        self.product = product
        self.complaints: list[str] = []
        self._chromium = chromium
        self._contexts: list[BrowserContext] = []

    def open(self, host: str, **options: Any) -> Page:
        """A new browser at `host`, signed out."""
        options = {"reduced_motion": "reduce", "viewport": {"width": 1280, "height": 800}} | options
        context = self._chromium.new_context(base_url=self.product.address(host), **options)
        context.set_default_timeout(MILLISECONDS)
        # Errors of our scripts, and what the content policy or the browser refuses.
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", lambda message: self._heard(message.type, message.text))
        self._contexts.append(context)
        return context.new_page()

    def log_in(self, name: str, *, remember: bool = False, anew: bool = False, **options: Any) -> Page:
        """A new browser in which that person has signed in by the form, or is signed in by cookies of a moment ago.

        Each `remember` and each `anew` is a sign-in of its own. Staff always come back with the same cookies: each code
        of an app is good once, and waiting for the next one takes half a minute.
        """
        person = self.product.people[name]
        kept, made_at = _kept_logins.get(name, (None, 0.0))
        # A page may ask for the password a quarter of an hour after it was given.
        is_young = bool(person.app_secret) or time.monotonic() - made_at < YOUNG_SECONDS
        if kept and is_young and not (remember or anew):
            page = self.open(person.host, storage_state=kept, **options)
            page.goto("/")
            if "/login" not in page.url:
                return page
        page = self.open(person.host, **options)
        fill_in_login(page, person, remember=remember)
        if not remember:
            _kept_logins[name] = (page.context.storage_state(), time.monotonic())
        return page

    def close_and_open_again(self, page: Page) -> Page:
        """Close a browser and start it again: cookies without an end are gone, as on a real computer."""
        state = page.context.storage_state()
        state["cookies"] = [cookie for cookie in state["cookies"] if cookie.get("expires", -1) > 0]
        host = urlsplit(page.url).hostname or ""
        page.context.close()
        return self.open(host.partition(".")[0], storage_state=state)

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _heard(self, kind: str, text: str) -> None:
        # Pages that answer 401, 403, 404 and 409 on purpose are tests' own matter.
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.complaints.append(text)


def fill_in_login(page: Page, person: Person, *, remember: bool = False, at: str = "") -> None:
    page.goto(f"{at}/login")
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    if remember:
        page.get_by_label("Stay signed in on this device").check()
    page.get_by_role("button", name="Sign in", exact=True).click()
    if person.app_secret:
        page.get_by_label("Code").fill(next_code(person))
        page.get_by_role("button", name="Continue").click()
    page.wait_for_url(lambda address: "/login" not in address)


def next_code(person: Person) -> str:
    """A code that was not used before: that of the next half minute is good already, then one has to wait."""
    step = max(_last_step.get(person.email, 0) + 1, int(time.time()) // 30)
    while step > int(time.time()) // 30 + 1:
        time.sleep(0.5)
    _last_step[person.email] = step
    return str(pyotp.TOTP(person.app_secret).generate_otp(step))


_last_step: dict[str, int] = {}
_kept_logins: dict[str, tuple[Any, float]] = {}


@pytest.fixture
def browsers(chromium: Browser, product: Product) -> Iterator[Browsers]:
    browsers = Browsers(chromium, product)
    yield browsers
    browsers.close()
    assert browsers.complaints == []


@pytest.fixture
def browser_of(browsers: Browsers) -> Callable[..., Page]:
    """A function that logs a person in: browser_of("alice", remember=True)."""
    return browsers.log_in


@pytest.fixture
def browser_at(browsers: Browsers) -> Callable[..., Page]:
    """A function that opens a browser that is signed out: browser_at("acme")."""
    return browsers.open
