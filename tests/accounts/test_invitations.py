"""Links in mails: invitations and new passwords. Each works once, for a time, on one host."""

from __future__ import annotations

import pytest

from qikbiz.identity.members.actions import invite_user
from qikbiz.kernel.database import tenant_transaction
from qikbiz.messaging.mail.models import Mail
from tests.fixtures.web import Browser

NEW = "brand new quiet staple words"


@pytest.fixture
def tenant(fresh_tenant):
    return fresh_tenant("Initech")


@pytest.fixture
def invited(app, tenant):
    """The path of Rosa's invitation."""
    with app.app_context(), tenant_transaction(tenant):
        url = invite_user("rosa@example.com", "Rosa", ["member"])
    assert url.startswith(f"http://{tenant.host}:8000/invitation/")
    return "/invitation/" + url.rsplit("/", 1)[1]


def test_rosa_accepts_her_invitation_and_is_in(browser_at, tenant, invited):
    browser = browser_at(tenant.host)
    assert "rosa@example.com" in browser.get(invited).text
    answer = browser.post(invited, {"name": "Rosa Lind", "password": NEW})
    assert answer.status_code == 303
    assert "Rosa" in browser.get("/").text
    assert browser_at(tenant.host).log_in("ROSA@example.com", NEW).status_code == 303


def test_looking_at_the_link_does_not_use_it_up(browser_at, tenant, invited):
    for _ in range(3):
        assert browser_at(tenant.host).get(invited).status_code == 200
        assert browser_at(tenant.host).open(invited, method="HEAD", check=False).status_code == 200
    assert browser_at(tenant.host).post(invited, {"name": "Rosa", "password": NEW}).status_code == 303


def test_an_invitation_works_once(browser_at, tenant, invited):
    browser_at(tenant.host).post(invited, {"name": "Rosa", "password": NEW})
    again = browser_at(tenant.host)
    assert again.get(invited).status_code == 410
    answer = again.post(invited, {"name": "Eve", "password": "somebody else's long password"})
    assert answer.status_code == 410
    assert "administrator" in answer.text


def test_an_invitation_ends_after_seven_days(browser_at, tenant, invited, clock):
    clock.move(days=6, hours=23)
    assert browser_at(tenant.host).get(invited).status_code == 200
    clock.move(hours=2)
    page = browser_at(tenant.host).get(invited)
    assert page.status_code == 410
    assert "ask the administrator who invited you" in page.text


def test_an_invitation_of_one_tenant_opens_nothing_at_another(browser_at, invited):
    assert browser_at("acme.localhost").get(invited).status_code == 410


@pytest.mark.parametrize("secret", ["x", "A" * 43, "%00", "..%2f..", "é" * 30, "x" * 3000])
def test_an_invented_link_opens_nothing(browser_at, tenant, secret):
    assert browser_at(tenant.host).get(f"/invitation/{secret}").status_code in (404, 410)


def test_a_weak_password_is_refused_and_what_was_typed_is_kept(browser_at, tenant, invited):
    page = browser_at(tenant.host).post(invited, {"name": "Rosa Lind", "password": "short"})
    assert page.status_code == 422
    assert 'value="Rosa Lind"' in page.text
    assert "at least 15 characters" in page.text


def test_sending_again_ends_the_link_before(browser_at, tenant, invited, app, log_in, add_person, rows_of):
    admin = log_in(add_person(tenant, "Sven", "administrator"))
    rosa = rows_of(tenant, "select id from users where email = 'rosa@example.com'")[0]["id"]
    assert admin.post(f"/users/{rosa}/invitation").status_code == 303
    assert browser_at(tenant.host).get(invited).status_code == 410
    assert len(rows_of(tenant, "select id from mails where to_address = 'rosa@example.com'")) == 2


def test_a_disabled_invitation_no_longer_works(browser_at, tenant, invited, log_in, add_person, rows_of):
    admin = log_in(add_person(tenant, "Sven", "administrator"))
    rosa = rows_of(tenant, "select id from users where email = 'rosa@example.com'")[0]["id"]
    admin.post(f"/users/{rosa}/closure")
    assert browser_at(tenant.host).get(invited).status_code == 410


def test_only_a_hash_of_the_link_is_kept(app, tenant, invited, rows_of):
    secret = invited.rsplit("/", 1)[1]
    stored = str(rows_of(tenant, "select * from user_tokens")) + str(rows_of(tenant, "select * from mails"))
    assert secret not in stored
    assert secret.encode().hex() not in stored


def test_a_forgotten_password_is_replaced_and_every_session_ends(
    browser_at, tenant, add_person, log_in, app, do_jobs, rows_of
):
    tina = add_person(tenant, "Tina", "member")
    elsewhere = log_in(tina, remember=True)
    path = _password_link(browser_at, tina, app, do_jobs)
    browser = browser_at(tenant.host)
    assert browser.get(path).status_code == 200
    assert browser.post(path, {"password": NEW}).status_code == 303
    assert browser.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 303
    assert browser_at(tenant.host).log_in(tina.email, tina.password).status_code == 401
    assert browser_at(tenant.host).log_in(tina.email, NEW).status_code == 303
    assert browser_at(tenant.host).get(path).status_code == 410
    assert len(rows_of(tenant, "select id from mails where template = 'password_changed'")) == 1


def test_a_password_link_ends_after_an_hour(browser_at, tenant, add_person, app, do_jobs, clock):
    path = _password_link(browser_at, add_person(tenant, "Udo", "member"), app, do_jobs)
    clock.move(minutes=61)
    assert browser_at(tenant.host).get(path).status_code == 410


def test_asking_for_a_link_says_the_same_for_everyone(browser_at, tenant, add_person):
    vera = add_person(tenant, "Vera", "member")
    pages = []
    for address in (vera.email, "nobody@example.com"):
        page = browser_at(tenant.host).post("/forgot", {"email": address})
        pages.append((page.status_code, page.text.replace(address, "…")))
    assert pages[0] == pages[1]


def test_the_link_in_the_mail_uses_the_tenants_own_host(browser_at, tenant, add_person, app, do_jobs):
    wanda = add_person(tenant, "Wanda", "member")
    assert _password_link(browser_at, wanda, app, do_jobs, with_host=True).startswith(f"http://{tenant.host}:8000/")


def _password_link(browser_at, person, app, do_jobs, *, with_host=False) -> str:
    from sqlalchemy import select

    from qikbiz.messaging.mail.actions import opened_values

    browser: Browser = browser_at(person.tenant.host)
    assert browser.post("/forgot", {"email": person.email}).status_code == 200
    do_jobs("passwords.link", person.tenant)
    with app.app_context(), tenant_transaction(person.tenant) as work:
        mail = work.scalars(select(Mail).where(Mail.template == "password_reset").order_by(Mail.id.desc())).first()
        url = opened_values(mail, person.tenant.id)["url"]
    return url if with_host else "/new-password/" + url.rsplit("/", 1)[1]
