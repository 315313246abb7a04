"""Ending one session, or forgetting one remembered device, from a list of them."""

from __future__ import annotations

from uuid import UUID

from qikbiz.identity.accounts.realms import Realm
from qikbiz.identity.sessions import session_store, sessions
from qikbiz.kernel.errors import NotFound


def end_one(realm: Realm, person_id: UUID, key: str, reason: str) -> str:
    """End one session of this person, or forget one remembered device; returns the device. Raises NotFound."""
    for row in session_store.live_sessions(realm.work, realm, person_id):
        if row.id_hash.hex() == key:
            sessions.end_session_and_device(realm.work, realm, row, reason)
            return row.device
    for series in session_store.resting_devices(realm.work, realm, person_id):
        if series.series_hash.hex() == key:
            sessions.revoke_device(realm.work, series, reason)
            return series.device
    raise NotFound
