"""The one click that stops a kind of mails (RFC 8058): no login, no cookie, no GET that changes anything (P18)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from werkzeug.test import Client, TestResponse

from qikbiz.audit.models import AuditEvent
from qikbiz.kernel.access import permission_of, rule_of
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.permissions import Permission
from qikbiz.messaging.mail.categories import CHOOSABLE, DIGEST, LOCKED, MailCategory, category_named
from qikbiz.messaging.mail.choices import choices_of
from qikbiz.messaging.mail.models import MailChoice
from qikbiz.messaging.mail.unsubscribing import unsubscribe_token
from tenants.context import Tenant
from tests.fixtures.people import Person
from tests.fixtures.world import World
from tests.mail.conftest import FakeMailServer, MailHarness
from tests.mail.test_email_preferences import choose, kept

pytestmark = pytest.mark.promise("P18")
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class Scanner:
    """A server of a mail provider: no cookies, no session, no page of ours."""

    def __init__(self, app: Any) -> None:
        self.client = Client(app, use_cookies=False)

    def ask(self, method: str, path: str, *, host: str = "acme.localhost", **options: Any) -> TestResponse:
        return self.client.open(path, method=method, base_url=f"https://{host}", **options)

    def click(self, path: str, **options: Any) -> TestResponse:
        return self.ask("POST", path, data=ONE_CLICK, **options)


@pytest.fixture
def scanner(app: Any, mail_harness: MailHarness) -> Scanner:
    return Scanner(app)


@pytest.fixture
def link(world: World) -> Callable[..., str]:
    """A function that returns the path of a user's link: link("updates", world.bob)."""

    def path(category: str | MailCategory, person: Person | None = None, tenant: Tenant | None = None) -> str:
        found = category_named(category) if isinstance(category, str) else category
        bob = person or world.bob
        token = unsubscribe_token(world.settings.keys, tenant or bob.tenant or world.acme.tenant, bob.id, found)
        return f"/unsubscribe/{token}"

    return path


def acts(world: World) -> int:
    with tenant_transaction(world.acme.tenant) as session:
        return session.scalar(select(func.count()).where(AuditEvent.action == "mail_choice.changed")) or 0


@pytest.mark.parametrize("category", [one.key for one in CHOOSABLE])
def test_one_click_stops_a_category_once_and_for_all(
    scanner: Scanner, link: Callable[..., str], world: World, category: str
) -> None:
    before, path = acts(world), link(category)
    answer = scanner.click(path)
    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.text
    stopped = "app" if category.startswith("notifications.") else "off"
    assert kept(world.bob) == {one.key: stopped if one.key == category else "on" for one in CHOOSABLE}
    assert scanner.click(path).status_code == 200
    with tenant_transaction(world.acme.tenant) as session:
        rows = session.scalars(select(MailChoice)).all()
        event = session.scalars(
            select(AuditEvent)
            .where(AuditEvent.action == "mail_choice.changed")
            .order_by(AuditEvent.seq.desc())
            .limit(1)
        ).one()
    assert [(row.user_id, row.category, row.choice, row.how) for row in rows] == [
        (world.bob.id, category, stopped, "mail")
    ]
    assert acts(world) == before + 1
    assert (event.actor_kind, event.actor_id, event.details["how"]) == (
        "user",
        world.bob.id,
        "one click in an email",
    )


@pytest.mark.parametrize("encoding", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_both_ways_to_send_a_form_are_understood(
    scanner: Scanner, link: Callable[..., str], world: World, encoding: str
) -> None:
    assert scanner.click(link("updates"), content_type=encoding).status_code == 200
    assert kept(world.bob)["updates"] == "off"


def test_a_provider_that_says_it_is_another_site_is_let_through_here_and_nowhere_else(
    scanner: Scanner, link: Callable[..., str], world: World, app: Any
) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example"}
    assert scanner.click(link("updates"), headers=headers).status_code == 200
    assert kept(world.bob)["updates"] == "off"
    assert scanner.ask("POST", "/profile/mails", data={"updates": "on"}, headers=headers).status_code in (303, 401, 403)
    assert kept(world.bob)["updates"] == "off"
    open_to_all = {
        name for name, view in app.view_functions.items() if permission_of(view) and rule_of(view).sealed_link
    }
    assert open_to_all == {"mail_choices.stop", "mail_choices.ask_to_stop"}
    assert {permission_of(app.view_functions[name]) for name in open_to_all} == {Permission.PUBLIC}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_a_program_that_opens_links_changes_nothing(
    scanner: Scanner, link: Callable[..., str], world: World, method: str
) -> None:
    before = acts(world)
    answer = scanner.ask(method, link("updates"), data=ONE_CLICK if method not in ("GET", "HEAD") else None)
    assert answer.status_code == (200 if method in ("GET", "HEAD", "OPTIONS") else 405)
    with tenant_transaction(world.acme.tenant) as session:
        assert session.scalars(select(MailChoice)).all() == []
    assert acts(world) == before


def test_a_person_who_opens_the_link_gets_a_page_with_one_button(
    browser_at: Callable[..., Any], link: Callable[..., str], world: World, mail_harness: MailHarness
) -> None:
    browser = browser_at("acme.localhost")
    path = link("improvements")
    page = browser.get(path)
    assert page.status_code == 200
    assert page.text.count("<button") == 1
    assert f'action="{path}"' in page.text
    assert browser.post(path, ONE_CLICK).status_code == 200
    assert "You are unsubscribed" in browser.get(path).text


@pytest.mark.parametrize("form", [{}, {"List-Unsubscribe": "Two-Clicks"}, {"x": "y"}])
def test_a_request_that_is_no_one_click_changes_nothing(
    scanner: Scanner, link: Callable[..., str], world: World, form: dict[str, str]
) -> None:
    assert scanner.ask("POST", link("updates"), data=form).status_code == 400
    assert kept(world.bob)["updates"] == "on"


def test_a_link_changed_in_any_character_is_refused(scanner: Scanner, link: Callable[..., str], world: World) -> None:
    path = link("updates")
    token = path.removeprefix("/unsubscribe/")
    for place in range(0, len(token), 7):
        other = "A" if token[place] != "A" else "B"
        forged = f"/unsubscribe/{token[:place]}{other}{token[place + 1 :]}"
        assert scanner.click(forged).status_code == 403
        assert scanner.ask("GET", forged).status_code == 403
    for invented in ("x", "A" * 120, "%00", "é", "A" * 5000):
        assert scanner.click(f"/unsubscribe/{invented}").status_code in (403, 414, 431)
    assert kept(world.bob)["updates"] == "on"


def test_a_link_of_one_organisation_is_refused_at_another(
    scanner: Scanner, link: Callable[..., str], world: World
) -> None:
    assert scanner.click(link("updates"), host="globex.localhost").status_code == 403
    assert scanner.click(link("updates", world.mallory)).status_code == 403
    # Not even when the other organisation has a login of the same id.
    assert scanner.click(link("updates", world.bob, world.globex.tenant)).status_code == 403
    assert kept(world.bob)["updates"] == "on"
    assert kept(world.mallory)["updates"] == "on"


@pytest.mark.parametrize("host", ["localhost", "console.localhost", "nobody.localhost"])
def test_the_link_works_on_the_organisations_own_address_only(
    scanner: Scanner, link: Callable[..., str], host: str
) -> None:
    assert scanner.click(link("updates"), host=host).status_code == 404


@pytest.mark.parametrize("category", LOCKED)
def test_no_link_stops_what_can_not_be_stopped(
    scanner: Scanner, link: Callable[..., str], category: MailCategory
) -> None:
    page = scanner.click(link(category))
    assert page.status_code == 403 and "This link does not work" in page.text


def test_a_value_sealed_for_something_else_is_no_link(scanner: Scanner, world: World) -> None:
    sealed = world.settings.keys.seal("session", world.bob.id.bytes + b"updates", bound_to=str(world.acme.tenant.id))
    assert scanner.click(f"/unsubscribe/{sealed}").status_code == 403


def test_a_link_to_a_login_that_is_gone_is_refused(
    scanner: Scanner, world: World, link: Callable[..., str], add_person: Callable[..., Person]
) -> None:
    gone = add_person(world.acme.tenant, "Gonesoon", "member")
    with tenant_transaction(world.acme.tenant) as session:
        session.execute(text("DELETE FROM users WHERE id = :id"), {"id": gone.id})
    answer = scanner.click(link("updates", gone))
    assert answer.status_code == 403


@pytest.mark.usefixtures("smtp")
def test_a_click_while_mails_wait_is_felt_by_all_of_them(
    scanner: Scanner, link: Callable[..., str], mail_harness: MailHarness, mail_server: FakeMailServer
) -> None:
    waiting = [mail_harness.notice(dedupe_key=f"import {number}") for number in range(3)]
    mail_harness.deliver(waiting[0])
    assert scanner.click(link("notifications.import_ready")).status_code == 200
    for mail_id in waiting[1:]:
        mail_harness.deliver(mail_id)
    assert [mail_harness.state(mail_id) for mail_id in waiting] == ["sent", "dropped", "dropped"]
    assert len(mail_server.taken) == 1


def test_the_click_in_a_digest_stops_the_digest_and_nothing_that_comes_at_once(
    scanner: Scanner, link: Callable[..., str], world: World
) -> None:
    choose(world, world.bob, notifications__assigned="daily", notifications__mentioned="off")
    assert scanner.click(link(DIGEST)).status_code == 200
    mine = kept(world.bob)
    assert (mine["notifications.assigned"], mine["notifications.mentioned"]) == ("app", "off")
    assert (mine["notifications.import_ready"], mine["updates"]) == ("on", "on")


def test_a_click_never_turns_more_mails_on(scanner: Scanner, link: Callable[..., str], world: World) -> None:
    choose(world, world.bob, notifications__assigned="off")
    assert scanner.click(link("notifications.assigned")).status_code == 200
    assert kept(world.bob)["notifications.assigned"] == "off"


@pytest.fixture
def closed(fresh_tenant: Callable[..., Tenant], world: World) -> Iterator[Callable[[str], Tenant]]:
    """A function that makes an organisation that is not served."""
    from qikbiz.kernel.database import control_transaction
    from tenants.control import TenantRecord
    from tenants.directory import touch_directory

    def make(state: str) -> Tenant:
        tenant = fresh_tenant("Closed doors")
        with control_transaction() as session:
            record = session.get_one(TenantRecord, tenant.id)
            record.state = state
            touch_directory(session, record)
        return tenant

    yield make


@pytest.mark.parametrize("state", ["suspended", "closing"])
def test_it_works_while_an_organisation_is_closed_for_work(
    closed: Callable[[str], Tenant], app: Any, scanner: Scanner, world: World, state: str
) -> None:
    tenant = closed(state)
    app.extensions["qikbiz"].directory.look()
    with tenant_transaction(tenant) as session:
        person_id: UUID = session.execute(text("SELECT id FROM users")).scalar_one()
    token = unsubscribe_token(world.settings.keys, tenant, person_id, category_named("updates"))
    # A suspended organisation still signs in, to read and to export.
    assert scanner.ask("GET", "/login", host=tenant.host).status_code == (200 if state == "suspended" else 410)
    assert scanner.click(f"/unsubscribe/{token}", host=tenant.host).status_code == 200
    with tenant_transaction(tenant):
        assert choices_of(person_id)["updates"] == "off"


def received(mail_server: FakeMailServer) -> EmailMessage:
    message = message_from_bytes(mail_server.taken[-1].original_content or b"", policy=default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.usefixtures("smtp")
def test_the_headers_of_a_received_mail_stop_it_when_posted_to(
    mail_harness: MailHarness, mail_server: FakeMailServer, scanner: Scanner
) -> None:
    mail_harness.deliver(mail_harness.notice())
    message = received(mail_server)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "Import ready <import-ready.notifications.acme.localhost>"
    # One line each: a folded or encoded address is one that no program can open.
    raw = (mail_server.taken[-1].original_content or b"").decode().replace("\r\n", "\n")
    url = re.search(r"^List-Unsubscribe: <(\S+)>$", raw, re.M)
    assert url
    parts = urlsplit(url[1])
    assert parts.hostname == "acme.localhost"
    assert url[1] in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert url[1] in message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert scanner.click(parts.path).status_code == 200
    assert kept(mail_harness.world.bob)["notifications.import_ready"] == "app"


@pytest.mark.usefixtures("smtp")
def test_a_mail_about_security_has_none_of_them_and_says_why(
    mail_harness: MailHarness, mail_server: FakeMailServer
) -> None:
    mail_harness.deliver(mail_harness.write(to_address=mail_harness.world.bob.email))
    message = received(mail_server)
    assert not [name for name in message if name.lower().startswith("list-")]
    for kind in ("plain", "html"):
        words = " ".join(message.get_body((kind,)).get_content().split())  # type: ignore[union-attr]
        assert "You can't unsubscribe from" in words.replace("&#39;", "'")
        assert "/unsubscribe/" not in words
