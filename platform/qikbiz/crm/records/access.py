"""Who can see a record and why, and who opened it (promise P12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from qikbiz.audit.models import AuditEvent
from qikbiz.audit.queries import CLOCKS_DIFFER, id_at
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.identity.accounts.models import User
from qikbiz.identity.roles.effective_rights import colleagues_of, names_of_roles, rights_of_roles
from qikbiz.kernel.clock import now
from qikbiz.kernel.database import db
from qikbiz.kernel.permissions import Action
from qikbiz.kernel.registration import Registration
from qikbiz.kernel.rights import Rights, Scope

LOOKED_BACK = timedelta(days=90)
MOST_SHOWN = 200
_ACTS = (Action.CHANGE, Action.DELETE, Action.EXPORT)
_REASONS = {Scope.OWN: "owns it", Scope.TEAM: "is in a team with the owner", Scope.ALL: "sees all {records}"}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who can see the record. `why` is a sentence's end; `may` what they can do beside seeing it."""

    name: str
    why: str
    may: str
    is_staff: bool = False


# The members of our staff who could open each record of this organisation now.
STAFF_VIEWERS: Registration[Callable[[], list[Viewer]]] = Registration("which staff can see records")


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
    return [*STAFF_VIEWERS.value(), *(viewer for user, own in held if (viewer := _viewer(record, user, own, names)))]


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
