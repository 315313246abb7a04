"""The colleagues who can own a record."""

from __future__ import annotations

from time import monotonic
from uuid import UUID

from sqlalchemy import event, select

from qikbiz.crm.schema.models import Record
from qikbiz.identity.accounts.models import User
from qikbiz.kernel.database import TenantSession, after_commit, db
from tenants.context import current_tenant

REMEMBERED_SECONDS = 5.0
MOST_REMEMBERED = 1_000
# {tenant: (until, names)}
_remembered: dict[UUID, tuple[float, dict[UUID, str]]] = {}


def colleague_names() -> dict[UUID, str]:
    """Everybody who ever had a login, for showing who owned or did something."""
    return {row.id: row.name for row in db.session.execute(select(User.id, User.name).order_by(User.name))}


def colleague_names_for_lists() -> dict[UUID, str]:
    """As `colleague_names`, a few seconds old at most: lists are drawn far more often than a colleague is renamed."""
    tenant_id, now = current_tenant().id, monotonic()
    until, names = _remembered.get(tenant_id, (0.0, {}))
    if until < now:
        names = colleague_names()
        if len(_remembered) >= MOST_REMEMBERED:
            _remembered.clear()
        _remembered[tenant_id] = (now + REMEMBERED_SECONDS, names)
    return names


def possible_owners() -> dict[UUID, str]:
    """Who can be given a record, by name."""
    query = select(User.id, User.name).where(User.state != "disabled").order_by(User.name)
    return {row.id: row.name for row in db.session.execute(query)}


def colleague_by_email(email: str) -> UUID | None:
    return db.session.scalar(select(User.id).where(User.email_key == email.lower()))


@event.listens_for(TenantSession, "after_flush")
def _forget_names(session: TenantSession, _context: object) -> None:
    """Whoever changes a colleague sees it at once, if the same process answers."""
    if any(isinstance(changed, User) for changed in (*session.new, *session.dirty)):
        tenant_id = current_tenant().id
        after_commit(session, lambda: _forget(tenant_id))


def _forget(tenant_id: UUID) -> None:
    _remembered.pop(tenant_id, None)


def with_current_owner(people: dict[UUID, str], found: Record | None) -> dict[UUID, str]:
    """`people` and the record's owner, also one who can own nothing new: a form that lacks them would take them off."""
    owner = found.owner_id if found is not None else None
    return people if owner is None or owner in people else {owner: colleague_names().get(owner, "Unknown"), **people}
