"""Viewing the product as another user sees it: read only, for a quarter of an hour, never more than one's own.

The actor stays who is looking. The view lives in the session, so it ends with it, and by itself.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from qikbiz.audit.actions import record
from qikbiz.identity.accounts import session_invalidation
from qikbiz.identity.accounts.models import User, UserSession
from qikbiz.identity.accounts.principal import CurrentUser, Preview, Principal
from qikbiz.identity.accounts.realms import tenant_realm
from qikbiz.identity.roles.effective_rights import colleagues_of, granted_rights, names_of_roles, rights_of_roles
from qikbiz.kernel import clock
from qikbiz.kernel.access import AccessRule
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure, Forbidden
from qikbiz.kernel.rights import Rights, Scope, every_act

LASTS = timedelta(minutes=15)


def start(person: Principal, role: str, user_id: str) -> None:
    """Begin to look as a role or as a user, from the next request on. Raises Failure for neither."""
    viewing = f"role:{role}" if role else f"user:{user_id}"
    found = preview_of(db.session(), viewing, clock.now() + LASTS, person.id, person.rights)
    if found is None:
        raise Failure("This role or user no longer exists. Reload the page.")
    _write(person, viewing, found.until)
    record("preview.started", record_type="user", record_id=person.id, subject=found.name, details={"as": found.name})
    session_invalidation.invalidate_after_commit(db.session(), tenant_realm(), [person.id])


def end(person: Principal) -> None:
    _write(person, "", None)
    if person.preview is not None:
        record("preview.ended", record_type="user", record_id=person.id, subject=person.preview.name)
    session_invalidation.invalidate_after_commit(db.session(), tenant_realm(), [person.id])


def preview_of(work: Session, viewing: str, until: datetime | None, own_id: UUID, own: Rights) -> Preview | None:
    """What a session that is looking sees; None when it is not, or no longer, or its subject is gone."""
    if not viewing or until is None or clock.now() >= until:
        return None
    kind, _, key = viewing.partition(":")
    name, rights = _role(work, key, own_id) if kind == "role" else _user(work, key)
    return Preview(name, until, _seen(rights, own)) if name else None


def refuse_acts(person: CurrentUser, rule: AccessRule, *, is_reading: bool) -> None:
    """Raises Forbidden for anything but reading while a user is viewing as another."""
    looking = person.preview
    if looking is None or rule.while_viewing_as:
        return
    if not is_reading or rule.fresh:
        raise Forbidden(f"You are viewing as {looking.name} and can only read. Stop viewing to make changes.")


def _seen(rights: Rights, own: Rights) -> Rights:
    both = rights.within(own)
    if rights.me == own.me:
        return both
    # "Own" and "team" mean other people here: only who reaches all may look through their eyes.
    scopes = {act: both.scope(*act) for act in every_act() if own.scope(*act) is Scope.ALL and both.scope(*act)}
    return replace(both, scopes=scopes)


def _role(work: Session, key: str, own_id: UUID) -> tuple[str, Rights]:
    rights, names = rights_of_roles(work, [key]), names_of_roles(work, [key])
    if key not in rights:
        return "", Rights({})
    return f"the role {names[key]}", rights[key].as_person(own_id, colleagues_of(work, own_id))


def _user(work: Session, key: str) -> tuple[str, Rights]:
    try:
        user = work.get(User, UUID(key))
    except ValueError:
        user = None
    if user is None:
        return "", Rights({})
    return user.name, granted_rights(work, user.id, user.roles)


def _write(person: Principal, viewing: str, until: datetime | None) -> None:
    db.session.execute(
        update(UserSession)
        .where(UserSession.id_hash == person.session_key)
        .values(viewing=viewing, viewing_until=until)
        .execution_options(synchronize_session=False)
    )
