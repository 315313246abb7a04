"""Between the right password and the rest: a second factor to show or to set up, a new password to choose.

It is no session: it has no permission, opens no page, and the server keeps nothing of it. The browser holds it in a
sealed cookie for ten minutes. It ends with any change of the password, with stricter rules for it, with the person's
epoch, and with its one use.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from qikbiz.identity.accounts.failures import PendingLoginEnded
from qikbiz.identity.accounts.queries import account_for_change
from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.identity.sign_in_policy.queries import policy_of
from qikbiz.identity.sign_in_policy.rules import is_password_in_doubt
from qikbiz.kernel import clock
from qikbiz.kernel.errors import NotFound
from qikbiz.web.cookies import HALF_LOGIN, delete_cookie, open_cookie, set_cookie

LIFE = timedelta(minutes=10)
# The one way to begin that shows and sets none.
_WITHOUT_PASSWORD = "sso"


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """`method` is how it began, `shown` the factor shown since, `problem` why the password no longer does.

    `mailed` is "needed" while a code must be fetched from the person's mail, and "shown" afterwards.
    `proof` ties it to the password that was given, `nonce` makes its use single. `ends` is a time stamp.
    """

    person: str
    method: str
    proof: str
    remember: bool = False
    target: str = "/"
    problem: str = ""
    shown: str = ""
    mailed: str = ""
    from_anywhere: bool = False
    is_fresh: bool = True
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    ends: float = 0.0

    @property
    def person_id(self) -> UUID:
        return UUID(self.person)

    @property
    def place(self) -> bytes:
        """What is made for this pending login alone is bound to."""
        return bytes.fromhex(self.nonce)

    def kept(self, **changes: object) -> PendingLogin:
        """The same with something changed, in the browser from the next answer on."""
        changed = replace(self, **changes)  # type: ignore[arg-type]  # the fields' own types are checked by the callers
        set_cookie(HALF_LOGIN, json.dumps(asdict(changed)).encode())
        return changed


def begin(account: Account, method: str, **known: Any) -> PendingLogin:
    """Start one, with whatever is known of its fields, and have the browser keep it."""
    ends = (clock.now() + LIFE).timestamp()
    return PendingLogin(account.id.hex, method, proof_of(account), ends=ends, **known).kept()


def current_pending_login(realm: Realm) -> tuple[PendingLogin, Account]:
    """The one that this browser holds, with its person locked. Raises PendingLoginEnded."""
    opened = open_cookie(HALF_LOGIN)
    if opened is None:
        raise PendingLoginEnded
    half = PendingLogin(**json.loads(opened.plaintext))
    try:
        account = account_for_change(realm.work, realm, half.person_id)
    except NotFound:
        raise PendingLoginEnded from None
    if _is_over(realm, half, account):
        delete_cookie(HALF_LOGIN)
        raise PendingLoginEnded
    return half, account


def _is_over(realm: Realm, half: PendingLogin, account: Account) -> bool:
    is_late = clock.now().timestamp() >= half.ends
    if is_late or account.state != "active" or half.proof != proof_of(account):
        return True
    # A password that did when it was given, and may not by the rules of now: it has to be given again.
    is_judged = half.method != _WITHOUT_PASSWORD and not half.problem
    return is_judged and is_password_in_doubt(account, policy_of(realm))


def proof_of(account: Account) -> str:
    """Changes with the password and whenever all sessions of the person are ended."""
    return hashlib.sha256(f"{account.id}|{account.epoch}|{account.password_hash}".encode()).hexdigest()[:32]
