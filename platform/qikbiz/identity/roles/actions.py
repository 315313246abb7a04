"""Making, changing and deleting roles. A changed role takes effect at its users' next request."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from qikbiz.audit.actions import record
from qikbiz.identity.accounts import session_invalidation
from qikbiz.identity.accounts.realms import tenant_realm
from qikbiz.identity.roles.builtin_roles import ROLE_NAMES, page_rights
from qikbiz.identity.roles.delegation import may_give_rights, may_widen
from qikbiz.identity.roles.models import OwnRole
from qikbiz.identity.roles.queries import role_for_changing, role_line, users_with_role
from qikbiz.identity.roles.record_types import ruled_types
from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict
from qikbiz.kernel.permissions import Action
from qikbiz.kernel.rights import Rights

LONGEST_NAME = 60


class NameTaken(Conflict):
    """Two roles, or two teams, would have the same name."""


def copy_role(key: str, name: str) -> OwnRole:
    """A new role with the rights of another. Raises NameTaken, BeyondOwnRights, NotFound."""
    source = role_line(key)
    may_give_rights(source.rights)
    _refuse_taken(name)
    role = OwnRole(name=name, folded_name=name.casefold(), rights=source.rights.as_json())
    db.session.add(role)
    db.session.flush()
    _audit("role.created", role, {"copied_from": source.name})
    return role


def change_role(key: str, name: str, rights: Rights, *, seen_at: str) -> None:
    """Write a role anew. `seen_at` is `edition_of` the role as the person saw it. Raises Conflict, BeyondOwnRights."""
    role = role_for_changing(key)
    if edition_of(role) != seen_at:
        raise Conflict("Someone else changed this role. Nothing was saved. Reload the page and try again.")
    before = Rights.from_json(role.rights)
    may_give_rights(before)
    may_give_rights(rights)
    may_widen(role, rights)
    _refuse_taken(name, but_not=role.id)
    changes = _differences(role.name, before, name, rights)
    if not changes:
        return
    role.name, role.folded_name, role.rights = name, name.casefold(), rights.as_json()
    role.updated_at = clock.now()
    _audit("role.changed", role, {"changes": changes})
    hold_to_it(users_with_role(key))


def delete_role(key: str) -> str:
    """Delete a role that nobody has, and give its name. Raises Conflict."""
    role = role_for_changing(key)
    may_give_rights(Rights.from_json(role.rights))
    if users_with_role(key):
        raise Conflict(f"{role.name} is still assigned to users. Assign them another role first.")
    _audit("role.deleted", role, {})
    db.session.delete(role)
    return role.name


def edition_of(role: OwnRole) -> str:
    """Tells one state of a role from another, for forms that were opened before another user changed it."""
    return role.updated_at.isoformat()


def hold_to_it(people: Iterable[UUID]) -> None:
    """Have what these people may do looked up anew at their next request."""
    realm = tenant_realm()
    session_invalidation.invalidate_after_commit(realm.work, realm, people)


def described(rights: Rights) -> dict[str, str]:
    """What a role allows, line by line in words, for the audit."""
    types = ruled_types()
    lines = {f"{kind.plural_label}: {act}": rights.scope(kind.name, act).key for kind in types for act in Action}
    for kind in types:
        for name, rule in ((rights.rules or {}).get(kind.name) or {}).items():
            lines[f"{kind.plural_label}: field {kind.labels.get(name, name)}"] = rule.value
    for page in page_rights():
        lines[f"May {page.label}"] = "yes" if page.permission in rights.pages else ""
    return lines


def _differences(old_name: str, old: Rights, new_name: str, new: Rights) -> dict[str, list[str]]:
    before, after = {"Name": old_name, **described(old)}, {"Name": new_name, **described(new)}
    names = dict.fromkeys([*before, *after])
    return {
        name: [before.get(name, ""), after.get(name, "")]
        for name in names
        if before.get(name, "") != after.get(name, "")
    }


def _refuse_taken(name: str, *, but_not: UUID | None = None) -> None:
    folded = name.casefold()
    taken = db.session.scalar(select(OwnRole.id).where(OwnRole.folded_name == folded, OwnRole.id != but_not))
    if taken is not None or folded in {known.casefold() for known in ROLE_NAMES.values()}:
        raise NameTaken(f"A role named “{name}” already exists.")


def _audit(action: str, role: OwnRole, details: dict[str, object]) -> None:
    record(action, record_type="role", record_id=role.id, subject=role.name, details=dict(details))
