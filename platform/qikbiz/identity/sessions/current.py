"""Who is making the current request. Flask-Login carries the answer as `current_user`; the deciding is done here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from flask import Flask, Request, g
from flask.sessions import SessionInterface, SessionMixin
from flask_login import LoginManager

from qikbiz.identity.accounts import session_invalidation
from qikbiz.identity.accounts.principal import Anonymous, Principal
from qikbiz.identity.accounts.realms import Realm, realm_of_request
from qikbiz.identity.sessions import remember_me, sessions
from qikbiz.identity.sessions.why_ended import say_if_stolen
from qikbiz.kernel.read_only import withheld
from qikbiz.kernel.registration import Registration
from qikbiz.security.ip_reputation.events import record_event
from qikbiz.web.cookies import SESSION, broken_cookies, has_carried_cookie, open_cookie
from qikbiz.web.visit_cookie import end_session_cookie
from tenants.context import NoTenantEntered, Tenant

SESSION_COOKIE_BYTES = 48
# The member of staff who is inside this tenant by a customer's grant.
SUPPORT_SESSION: Registration[Callable[[Tenant], Principal | None]] = Registration(
    "how staff are found inside a tenant"
)


class NoFlaskSession(SessionInterface):
    """Flask's own session is not used: nothing of a person is kept in a cookie."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return DisabledSession()

    def save_session(self, app: Flask, session: SessionMixin, response: object) -> None:
        return None


class DisabledSession(dict[str, object], SessionMixin):
    """Empty, and refuses to be anything else."""

    def __setitem__(self, key: str, value: object) -> NoReturn:
        raise TypeError("There is no Flask session here; see qikbiz/web/cookies.py.")


def register(app: Flask) -> None:
    """Use Flask-Login without its session, its remember cookie and its protection.

    They hold for every tenant's user of the same id, and survive a logout (docs/decisions/0002-sessions.md).
    """
    if app.config.get("LOGIN_DISABLED"):
        raise RuntimeError("LOGIN_DISABLED turns every login check off. Remove it.")
    app.session_interface = NoFlaskSession()
    # No cookie has the name None, so that no request brings the extension's own remember cookie.
    app.config.update(EXEMPT_METHODS=frozenset(), REMEMBER_COOKIE_NAME=None)
    manager = LoginManager(app)
    manager.session_protection = None
    manager.anonymous_user = Anonymous
    manager.request_loader(_person_of_request)


def _person_of_request(_request: Request) -> Principal | None:
    realm = realm_of_request()
    if realm is None:
        return None
    try:
        person = SUPPORT_SESSION.value(realm.tenant) if realm.tenant else None
        person = person or _from_session(realm) or (remember_me.restore(realm) if realm.tenant else None)
    except NoTenantEntered:
        return None
    if broken_cookies():
        record_event("cross_tenant_cookie" if has_carried_cookie() else "bad_cookie")
    g.person_id = str(person.id) if person else None
    if person is not None and realm.tenant is not None and realm.tenant.is_read_only:
        return replace(person, withheld=withheld())
    return person


def _from_session(realm: Realm) -> Principal | None:
    opened = open_cookie(SESSION)
    if opened is None or len(opened.plaintext) != SESSION_COOKIE_BYTES:
        return None
    person = sessions.resume(realm, opened)
    if person is None:
        end_session_cookie()
        with realm.own_work() as work:
            say_if_stolen(work, realm, realm.macs(sessions.PURPOSE, opened.plaintext[16:]))
    elif person.has_new_token and remember_me.confirm_shown_token(realm, person.id):
        session_invalidation.invalidate_now(realm, [person.id])
    return person
