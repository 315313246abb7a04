"""What users choose about themselves and their own pages, kept with the account."""

from __future__ import annotations

from flask_login import current_user

from qikbiz.identity.accounts import session_invalidation
from qikbiz.identity.accounts.audit_events import record_login_event
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.queries import account_for_change
from qikbiz.identity.accounts.realms import Realm, current_realm


def save_preference(name: str, value: object) -> None:
    """Keep one choice of the current user, on all their devices."""
    realm = current_realm()
    account = account_for_change(realm.work, realm, current_user.id)
    account.preferences = {**account.preferences, name: value}
    session_invalidation.invalidate_after_commit(realm.work, realm, [account.id])


def change_profile(realm: Realm, person: Principal, *, name: str, time_zone: str, theme: str) -> None:
    account = account_for_change(realm.work, realm, person.id)
    before = {"name": account.name, "time_zone": account.time_zone, "theme": account.preferences.get("theme", "auto")}
    after = {"name": name, "time_zone": time_zone, "theme": theme}
    account.name = name
    account.time_zone = time_zone
    account.preferences = {**account.preferences, "theme": theme}
    changes = {field: [before[field], after[field]] for field in after if before[field] != after[field]}
    if changes:
        record_login_event(realm, "profile.changed", account, changes=changes)
    session_invalidation.invalidate_after_commit(realm.work, realm, [account.id])
