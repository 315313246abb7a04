"""Reading second factors."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from qikbiz.identity.accounts.realms import Factor, Realm
from qikbiz.kernel.errors import NotFound


def passkeys_of(realm: Realm, person_id: UUID) -> list[Factor]:
    table = realm.factors
    wanted = select(table).where(table.person_id == person_id, table.kind == "passkey").order_by(table.id)
    return list(realm.work.scalars(wanted))


def app_of(realm: Realm, person_id: UUID) -> Factor | None:
    table = realm.factors
    wanted = select(table).where(table.person_id == person_id, table.kind == "app")
    found: Factor | None = realm.work.scalars(wanted).one_or_none()
    return found


def passkey_of(realm: Realm, person_id: UUID, passkey_id: UUID) -> Factor:
    """One of this person's own, locked. Raises NotFound."""
    table = realm.factors
    wanted = select(table).where(table.id == passkey_id, table.person_id == person_id, table.kind == "passkey")
    found: Factor | None = realm.work.scalars(wanted.with_for_update()).one_or_none()
    if found is None:
        raise NotFound
    return found


def passkey_with(realm: Realm, handle: bytes) -> Factor | None:
    table = realm.factors
    wanted = select(table).where(table.handle == handle, table.kind == "passkey")
    found: Factor | None = realm.work.scalars(wanted.with_for_update()).one_or_none()
    return found


def codes_left(realm: Realm, person_id: UUID) -> int:
    """How many recovery codes have not been used."""
    table = realm.factors
    left = select(func.count()).where(table.person_id == person_id, table.kind == "recovery", table.used_at.is_(None))
    return int(realm.work.scalar(left) or 0)
