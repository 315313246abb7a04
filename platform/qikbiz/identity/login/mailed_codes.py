"""A code by mail, asked for beside the right password while others are guessing at a user's name or second factor.

It refuses nobody: the owner reads the mail, and who guesses does not. A code has 40 random bits and is good once, for
an hour; those mailed before it stay good, so that asking again and again uses nothing up.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from qikbiz.identity.accounts import emails, throttles
from qikbiz.identity.accounts.audit_events import record_login_event
from qikbiz.identity.accounts.devices import place_of_request
from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.identity.mfa.failures import WrongCode
from qikbiz.identity.mfa.recovery import new_code
from qikbiz.kernel import clock
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.web.user_agents import device_of_request

LIFE = timedelta(hours=1)
_PURPOSE = "mailed_code"
_GROUPS = 2


def mail_code(realm: Realm, account: Account) -> None:
    """Send a code, unless enough of them are in the person's mailbox."""
    if not throttles.may_mail_code(realm, account.id.hex):
        return
    code, moment = new_code(_GROUPS), clock.now()
    realm.work.add(
        realm.tokens(
            token_hash=realm.mac(_PURPOSE, _secret(account, code)),
            person_id=account.id,
            purpose=_PURPOSE,
            created_at=moment,
            expires_at=moment + LIFE,
        )
    )
    emails.send_mailed_code(realm, account, code, device_of_request(), place_of_request())
    record_login_event(realm, "login.code_mailed", account)


def use_code(realm: Realm, account: Account, code: str) -> None:
    """Take a code that was mailed to this person. Raises WrongCode or TooMany."""
    give_back = throttles.try_mailed_code(realm, account.id.hex)
    tokens = realm.tokens
    used = update(tokens).where(
        tokens.token_hash.in_(realm.macs(_PURPOSE, _secret(account, code))),
        tokens.purpose == _PURPOSE,
        tokens.used_at.is_(None),
        tokens.expires_at > clock.now(),
    )
    if realm.work.scalar(used.values(used_at=clock.now()).returning(tokens.token_hash)) is None:
        record_access(AccessKind.SECOND_FACTOR, "failed", person=account, detail="The emailed code was wrong")
        raise WrongCode("Incorrect or expired code. Use the newest email.")
    give_back()
    record_access(AccessKind.SECOND_FACTOR, person=account, detail="Emailed code")


def _secret(account: Account, code: str) -> bytes:
    folded = "".join(character for character in code.casefold() if character.isalnum())
    return account.id.bytes + b"|" + folded.encode("utf-8", "replace")
