"""A real person at a real browser closes an account, from the request to the certificate; only the clock is moved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from werkzeug.serving import make_server

from provisioning import assets
from qikbiz.app.request_pipeline import QikBiz
from qikbiz.kernel.database import control_transaction
from qikbiz.messaging.mail import actions as mailing
from qikbiz.messaging.mail.models import PlatformMail
from tests.account_closure.conftest import Leaving
from tests.fixtures.axe import axe_problems

pytestmark = [pytest.mark.browser, pytest.mark.promise("P13")]


@pytest.fixture
def port(app: QikBiz) -> Iterator[int]:
    assets.build()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()


@pytest.fixture
def open_page(chromium: Browser, port: int) -> Iterator[Callable[..., Page]]:
    """A function that opens a browser at a host: open_page("acme.localhost", width=390)."""
    contexts = []

    def opened(host: str, *, width: int = 1280) -> Page:
        context = chromium.new_context(
            base_url=f"http://{host}:{port}", reduced_motion="reduce", viewport={"width": width, "height": 900}
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


def log_in(page: Page, leaving: Leaving, name: str = "alice") -> None:
    person = leaving.people[name]
    leaving.look()
    page.goto("/login")
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda address: "/login" not in address)


def without_faults(page: Page) -> None:
    """axe finds nothing, and the page is no wider than its window."""
    assert axe_problems(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def ask_and_accept(page: Page) -> None:
    page.goto("/closing")
    without_faults(page)
    page.get_by_role("link", name="Start", exact=True).click()
    page.get_by_label("Reason").fill("We merge with Globex.")
    page.get_by_label("Type the name of your organisation").fill("Leaving & Sons")
    without_faults(page)
    page.get_by_role("button", name="Request closure").click()
    expect(page.get_by_text("The export and the account closure are free")).to_be_visible()
    without_faults(page)
    page.get_by_role("button", name="Accept and export").click()
    expect(page.get_by_role("heading", name="In progress")).to_be_visible()


def download(page: Page, file: Path) -> None:
    # The page notices by itself that the worker is done.
    expect(page.get_by_role("heading", name="Ready")).to_be_visible()
    without_faults(page)
    with page.expect_download() as started:
        page.get_by_role("link", name="Download", exact=True).click()
    started.value.save_as(file)


def check_and_close(page: Page, file: Path) -> None:
    """The checksum is computed from the chosen file by the page itself; nothing of the file is sent."""
    page.goto("/closing/check")
    without_faults(page)
    sent: list[int] = []
    page.on("request", lambda request: sent.append(len(request.post_data_buffer or b"")))
    broken = file.with_name("broken.zip")
    broken.write_bytes(file.read_bytes()[:-1])
    chosen = page.get_by_label("Choose or drop the zip file")
    chosen.focus()
    assert page.evaluate("document.activeElement.type") == "file", "it is reached by the keyboard"
    chosen.set_input_files(broken)
    expect(page.get_by_text("does not match the export")).to_be_visible()
    without_faults(page)
    page.get_by_label("Choose or drop the zip file").set_input_files(file)
    expect(page.get_by_role("heading", name="Data to be erased")).to_be_visible()
    assert max(sent) < 1000
    expect(page.get_by_role("heading", name="Data to be erased")).to_be_visible()
    without_faults(page)
    page.get_by_role("button", name="Make the account read-only").click()
    expect(page.get_by_role("heading", name="Your account is closing")).to_be_visible()


def check_certificate(site: Page) -> None:
    with control_transaction() as control:
        newest = select(PlatformMail).where(PlatformMail.template == "closing_certificate")
        mail = control.scalars(newest.order_by(PlatformMail.id.desc())).first()
        assert mail is not None
        link = mailing.opened_values(mail, None)["url"]
    site.goto(urlsplit(link).path)
    expect(site.get_by_text("This certificate is authentic")).to_be_visible()
    without_faults(site)
    site.get_by_label("Organisation name").fill("Leaving & Sons")
    site.get_by_role("button", name="Verify", exact=True).click()
    expect(site.get_by_text("This certificate was issued for Leaving & Sons.")).to_be_visible()


def test_from_the_request_to_the_certificate(leaving: Leaving, open_page: Callable[..., Page], tmp_path: Path) -> None:
    page, file = open_page(leaving.tenant.host), tmp_path / "export.zip"
    log_in(page, leaving)
    ask_and_accept(page)
    leaving.make_export()
    download(page, file)
    check_and_close(page, file)
    leaving.advance()
    page.goto("/contacts")
    expect(page.get_by_text("This account is closing")).to_be_visible()
    without_faults(page)
    for days in (23.1, 6):
        leaving.clock.move(days=days)
        leaving.advance()
    log_in(page, leaving, "bob")
    expect(page.get_by_text("This account is closing")).to_be_visible()
    leaving.clock.move(days=1.1)
    leaving.advance()
    page.goto("/")
    expect(page.get_by_role("heading", name="This workspace is closed")).to_be_visible()
    check_certificate(open_page("localhost"))


def test_calling_it_off_on_a_phone(leaving: Leaving, open_page: Callable[..., Page]) -> None:
    leaving.to("read_only")
    leaving.advance()
    page = open_page(leaving.tenant.host, width=390)
    log_in(page, leaving, "carol")
    page.get_by_role("link", name="View account closure").click()
    without_faults(page)
    page.get_by_role("link", name="Cancel closure").click()
    without_faults(page)
    page.get_by_role("button", name="Cancel closure").click()
    expect(page.get_by_text("Making the account editable again")).to_be_visible()
    leaving.advance()
    # It notices by itself that there is nothing to wait for any more.
    expect(page.get_by_role("heading", name="Close your account", exact=True)).to_be_visible()
    expect(page.get_by_text("This account is closing")).to_have_count(0)
