"""The question that a passkey answers: random, for five minutes, for one browser, one purpose and one use."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from qikbiz.identity.accounts.realms import Realm
from qikbiz.identity.mfa.failures import PasskeyRefused
from qikbiz.kernel import clock
from qikbiz.web.cookies import CHALLENGE, delete_cookie, open_cookie, set_cookie
from qikbiz.web.csrf import form_binding

Purpose = Literal["login", "half-login", "confirm", "add", "enrol"]
_LIFE = timedelta(minutes=5)
_BYTES, _END_BYTES = 32, 8


def ask(purpose: Purpose) -> bytes:
    """A new question, which this browser holds in a sealed cookie."""
    question = secrets.token_bytes(_BYTES)
    ends = int((clock.now() + _LIFE).timestamp())
    set_cookie(CHALLENGE, question + ends.to_bytes(_END_BYTES, "big") + _place(purpose))
    return question


def asked(purpose: Purpose) -> bytes:
    """The question that this browser was asked for this purpose. Raises PasskeyRefused."""
    opened = open_cookie(CHALLENGE)
    delete_cookie(CHALLENGE)
    if opened is None or opened.plaintext[_BYTES + _END_BYTES :] != _place(purpose):
        raise PasskeyRefused("The passkey request has expired, or came from another page. Try again.")
    ends = int.from_bytes(opened.plaintext[_BYTES : _BYTES + _END_BYTES], "big")
    if clock.now().timestamp() >= ends:
        raise PasskeyRefused("The passkey took longer than five minutes. Try again.")
    return opened.plaintext[:_BYTES]


def spend(realm: Realm, secret: bytes, person_id: UUID) -> bool:
    """Mark something single-use as used, in the current transaction. False when it was used before."""
    table, moment = realm.tokens, clock.now()
    row = {
        "token_hash": realm.mac("spent", secret),
        "person_id": person_id,
        "purpose": "spent",
        "created_at": moment,
        "expires_at": moment + _LIFE,
        "used_at": moment,
    }
    statement = insert(table).values(row).on_conflict_do_nothing().returning(table.token_hash)
    return realm.work.scalar(statement) is not None


def _place(purpose: Purpose) -> bytes:
    # Bound to the session, or to the visit of a browser that is not signed in yet.
    return hashlib.sha256(purpose.encode() + b"|" + form_binding()).digest()
