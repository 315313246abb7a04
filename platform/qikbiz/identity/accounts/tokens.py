"""Single-use links: invitations and new passwords. Only a MAC of the secret is kept, bound to the tenant."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.identity.login_columns import TokenColumns
from qikbiz.kernel import clock
from qikbiz.kernel.errors import Failure

Purpose = Literal["invitation", "password"]
_PATHS: dict[Purpose, str] = {"invitation": "/invitation/", "password": "/new-password/"}


class LinkEnded(Failure):
    """The link was used before, has expired, or never existed: which of these is not said."""

    status, key = 410, "link_ended"


def make_link(work: Session, realm: Realm, account: Account, purpose: Purpose, life: timedelta) -> str:
    """A new link for `account`. Invitations sent before end; links for a new password stay good, for anybody may ask
    for one and must not end the owner's by it."""
    if purpose == "invitation":
        end_links(work, realm, account, purpose)
    secret = secrets.token_urlsafe(32)
    work.add(
        realm.tokens(
            token_hash=realm.mac(purpose, secret.encode()),
            person_id=account.id,
            purpose=purpose,
            created_at=clock.now(),
            expires_at=clock.now() + life,
        )
    )
    return realm.url(_PATHS[purpose] + secret)


def account_behind(work: Session, realm: Realm, purpose: Purpose, secret: str) -> tuple[Account, TokenColumns]:
    """Whose link this is, with its row locked. Raises LinkEnded; nothing is used up yet."""
    tokens, people = realm.tokens, realm.people
    statement = (
        select(people, tokens)
        .join(tokens, tokens.person_id == people.id)
        .where(
            tokens.token_hash.in_(realm.macs(purpose, secret.encode("utf-8", "replace"))),
            tokens.purpose == purpose,
            tokens.used_at.is_(None),
            tokens.expires_at > clock.now(),
            people.state != "disabled",
        )
        .with_for_update()
    )
    found = work.execute(statement).one_or_none()
    if found is None:
        raise LinkEnded
    account, token = found
    return account, token


def end_links(work: Session, realm: Realm, account: Account, purpose: Purpose | None = None) -> None:
    """No link sent to this person before works any more (for one purpose, or at all)."""
    tokens = realm.tokens
    statement = update(tokens).where(tokens.person_id == account.id, tokens.used_at.is_(None))
    if purpose:
        statement = statement.where(tokens.purpose == purpose)
    work.execute(statement.values(used_at=clock.now()))


def end_links_of_others(work: Session, realm: Realm, account: Account) -> None:
    """End every invitation but this person's: what was sent before anybody had a login is the first one's to repeat."""
    tokens = realm.tokens
    others = tokens.person_id != account.id, tokens.purpose == "invitation", tokens.used_at.is_(None)
    work.execute(update(tokens).where(*others).values(used_at=clock.now()))
