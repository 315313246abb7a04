"""A forgotten password: for any name the request does the same work, and the worker decides whether a mail leaves.

So neither the answer nor the time that it takes tells who has a login. The name that was typed travels sealed, and is
gone from the ledger once the job is done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from qikbiz.identity.accounts import emails, lifetimes, throttles
from qikbiz.identity.accounts.audit_events import record_login_event
from qikbiz.identity.accounts.queries import account_named
from qikbiz.identity.accounts.realms import Realm, same_address
from qikbiz.identity.accounts.tokens import make_link
from qikbiz.identity.sign_in_policy.queries import policy_of
from qikbiz.identity.sign_in_policy.sso_only import require_way
from qikbiz.jobs.actions import enqueue, enqueue_platform
from qikbiz.kernel.actors import ANONYMOUS, acting_as
from qikbiz.kernel.database import runtime
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access

_PURPOSE = "password-link"


def ask_for_password_link(realm: Realm, email: str) -> None:
    """Have the worker mail a link, if a user here has this address. Raises TooMany or SsoOnly, for any name alike."""
    throttles.ask_for_link(realm)
    name = same_address(email)
    require_way(realm, "password_link", account=name)
    record_access(AccessKind.PASSWORD_LINK, account=name, detail="Requested")
    asked = {"name": name, "requester": throttles.requester()}
    arguments = {"sealed": runtime().settings.keys.seal(_PURPOSE, json.dumps(asked).encode(), bound_to=_place(realm))}
    if realm.tenant:
        enqueue("passwords.link", arguments)
    else:
        enqueue_platform("passwords.link_staff", arguments)


def send_link_if_known(realm: Realm, arguments: Mapping[str, str]) -> bool:
    """Mail the link, in the job's transaction. False when nobody has the address, or enough mails went there.

    Those sent before stay good until one is used or they expire, so that nobody can use up another user's.
    """
    opened = runtime().settings.keys.open(_PURPOSE, arguments["sealed"], bound_to=_place(realm))
    asked = json.loads(opened.plaintext)
    account = account_named(realm.work, realm, asked["name"]) if "\x00" not in asked["name"] else None
    if account is None or account.state != "active" or policy_of(realm).sso_only:
        return False
    if not throttles.may_send_link(realm, asked["name"], asked["requester"]):
        return False
    emails.send_password_link(realm, account, make_link(realm.work, realm, account, "password", lifetimes.RESET))
    record_access(AccessKind.PASSWORD_LINK, person=account, detail="Sent")
    with acting_as(ANONYMOUS):
        record_login_event(realm, "password.link_sent", account)
    return True


def _place(realm: Realm) -> str:
    return realm.tenant.id.hex if realm.tenant else "staff"
