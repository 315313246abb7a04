"""Recording what happens to a login, in the audit of the tenant or of the platform."""

from __future__ import annotations

from qikbiz.audit.actions import record, record_on_platform
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.kernel.actors import Actor, acting_as, current_actor


def record_failed_login(realm: Realm, who: Account | None, how: str) -> None:
    """A wrong password was given. A name that no user has here is left out: it may be a password."""
    person_id, subject = (who.id, who.email) if who else (None, "")
    details = {"how": how} if who else {"how": how, "login": "nobody's"}
    if realm.tenant:
        record("login.failed", record_type="user", record_id=person_id, subject=subject, details=details)
    else:
        record_on_platform("login.failed", subject=subject, details=details)


def record_login_event(realm: Realm, action: str, who: Account | Principal, **details: object) -> None:
    """`who` is whose login it is; done by the current actor, or by themselves where nobody is signed in yet."""
    # A user who signs in, or comes by a link, is anonymous when the request begins.
    actor = current_actor()
    if actor.kind == "anonymous":
        actor = Actor(realm.kind, who.id, who.name, request_id=actor.request_id)
    with acting_as(actor):
        if realm.tenant:
            record(action, record_type="user", record_id=who.id, subject=who.email, details=dict(details))
        else:
            record_on_platform(action, subject=who.email, details=dict(details))
