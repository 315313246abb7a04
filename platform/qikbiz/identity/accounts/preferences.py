"""What somebody chose about their own pages, kept with the login."""

from __future__ import annotations

from typing import Any

from flask_login import current_user

from qikbiz.identity.accounts import session_invalidation
from qikbiz.identity.accounts.queries import account_for_change
from qikbiz.identity.accounts.realms import current_realm


def save_preference(name: str, value: Any) -> None:
    """Keep one choice of the person at hand, on all their devices."""
    realm = current_realm()
    account = account_for_change(realm.work, realm, current_user.id)
    account.preferences = {**account.preferences, name: value}
    session_invalidation.invalidate_after_commit(realm.work, realm, [account.id])
