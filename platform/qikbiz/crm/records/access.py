"""Who can see a record and why, and who opened it (promise P12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from qikbiz.audit.models import AuditEvent
from qikbiz.audit.queries import CLOCKS_DIFFER, id_at
from qikbiz.crm.records.fields import RecordType
from qikbiz.identity.accounts.models import User
from qikbiz.identity.roles.effective_rights import colleagues_of, names_of_roles, rights_of_roles
from qikbiz.kernel.clock import now
from qikbiz.kernel.database import control_transaction, db
from qikbiz.kernel.rights import Action, Rights, Scope
from qikbiz.trust.grants.models import Grant
from qikbiz.trust.grants.queries import grants_of, is_in_force, names_of
from qikbiz.trust.grants.scopes import LABELS
from qikbiz.trust.grants.scopes import GrantScope as Purpose
from tenants.context import current_tenant

LOOKED_BACK = timedelta(days=90)
MOST_SHOWN = 200
# What of a grant shows or touches a record; an export holds it, a restore does not.
_SHOWING = frozenset({Purpose.SEE, Purpose.CHANGE, Purpose.IMPORT, Purpose.EXPORT})


_ACTS = (Action.CHANGE, Action.DELETE, Action.EXPORT)
_REASONS = {Scope.OWN: "owns it", Scope.TEAM: "is in a team with the owner", Scope.ALL: "sees all {records}"}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who can see the record. `why` is a sentence's end; `may` what they can do beside seeing it."""

    name: str
    why: str
    may: str
    is_staff: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody who opened the record. `instruction` is what let staff in."""

    name: str
    times: int
    last: datetime
    is_staff: bool
    instruction: str


def viewers_of(record_type: RecordType, owner_id: UUID | None) -> list[Viewer]:
    """Everybody who could open a record of this owner now; staff under a grant of the customer's come first."""
    work = db.session()
    users = work.scalars(select(User).where(User.state == "active").order_by(User.name, User.id)).all()
    keys = {key for user in users for key in user.roles}
    roles, names = rights_of_roles(work, keys), names_of_roles(work, keys)
    record = _Owned(record_type, owner_id, colleagues_of(work, owner_id) if owner_id else set())
    held = [(user, {key: roles[key] for key in user.roles if key in roles}) for user in users]
    return [*_guests(), *(viewer for user, own in held if (viewer := _viewer(record, user, own, names)))]


def openings_of(record_type: RecordType, record_id: UUID) -> Sequence[Opening]:
    """Who opened it in the last 90 days, by the audit; the latest first."""
    since = now() - LOOKED_BACK
    instruction = func.coalesce(AuditEvent.details["instruction"].astext, "")
    who = (AuditEvent.actor_kind, AuditEvent.actor_id, AuditEvent.actor_name, instruction)
    query = select(*who, func.count().label("times"), func.max(AuditEvent.at).label("last")).where(
        AuditEvent.record_id == record_id,
        AuditEvent.id >= id_at(since - CLOCKS_DIFFER),
        AuditEvent.at >= since,
        AuditEvent.action == f"{record_type.name}.read",
    )
    rows = db.session.execute(query.group_by(*who).order_by(func.max(AuditEvent.at).desc()).limit(MOST_SHOWN))
    return [Opening(row[2] or "QikBiz", row.times, row.last, row[0] == "staff", row[3]) for row in rows]


@dataclass(frozen=True)
class _Owned:
    """A record of this type and owner; `beside_owner` are the members of the owner's teams."""

    record_type: RecordType
    owner_id: UUID | None
    beside_owner: set[UUID]

    def scope(self, rights: Rights, action: Action, user_id: UUID) -> Scope:
        """By how wide a scope the user reaches it with one role; NONE: not at all."""
        scope = rights.scope(self.record_type.name, action)
        reached = {
            Scope.ALL: True,
            Scope.TEAM: user_id == self.owner_id or user_id in self.beside_owner,
            Scope.OWN: user_id == self.owner_id,
        }
        return scope if reached.get(scope) else Scope.NONE


def _viewer(record: _Owned, user: User, roles: Mapping[str, Rights], names: Mapping[str, str]) -> Viewer | None:
    seen = {key: record.scope(rights, Action.SEE, user.id) for key, rights in roles.items()}
    widest = max(seen, key=lambda key: seen[key], default=None)
    if widest is None or not seen[widest]:
        return None
    why = _REASONS[seen[widest]].format(records=record.record_type.plural_label.lower())
    if user.id == record.owner_id and seen[widest] is not Scope.OWN:
        why = f"owns it, and {why}"
    acts = [act for act in _ACTS if any(record.scope(rights, act, user.id) for rights in roles.values())]
    return Viewer(user.name, f"{why} (role {names[widest]})", ", ".join(act.value for act in acts))


def _guests() -> list[Viewer]:
    with control_transaction() as control:
        return [_guest(grant) for grant in grants_of(control, current_tenant().id) if _shows(grant)]


def _shows(grant: Grant) -> bool:
    return is_in_force(grant) and bool(_SHOWING & {*grant.scopes})


def _guest(grant: Grant) -> Viewer:
    allowed: list[Any] = [LABELS[scope][0].lower() for scope in Purpose if scope in grant.scopes and scope in _SHOWING]
    why = f"let in by {grant.given_by_name} until {grant.ends_at:%d %B, %H:%M} UTC ({grant.reference}: {grant.reason})"
    return Viewer(names_of(grant), why, ", ".join(allowed), is_staff=True)
