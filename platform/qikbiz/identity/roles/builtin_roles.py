"""The table of rights: the built-in roles, what staff may do, and every page that a role can open, as features say.

A test fails for a permission that has no place here.
"""

from __future__ import annotations

import hashlib

from qikbiz.kernel.feature import Feature, derived
from qikbiz.kernel.permissions import PageRight, Role, StaffRole
from qikbiz.kernel.rights import NOTHING, Rights


@derived
def page_rights(features: tuple[Feature, ...]) -> tuple[PageRight, ...]:
    """What a tenant's roles can open, in order. Raises ValueError where two features want one place or permission."""
    found = sorted((right for feature in features for right in feature.permissions), key=lambda right: right.position)
    if len({right.permission for right in found}) < len(found) or len({right.position for right in found}) < len(found):
        raise ValueError("Two features declare one permission, or want one position among them.")
    return tuple(found)


@derived
def everything(_: tuple[Feature, ...]) -> Rights:
    """All that a tenant's role can allow."""
    pages = [right.permission for right in page_rights()]
    return Rights.of(see="all", create="all", change="all", delete="all", export="all", import_="all", pages=pages)


@derived
def built_in(_: tuple[Feature, ...]) -> dict[str, Rights]:
    """The roles that every tenant has."""
    return {
        Role.ADMINISTRATOR: everything(),
        Role.MEMBER: Rights.of(see="all", create="all", change="all", delete="all", import_="all"),
        Role.READER: Rights.of(see="all"),
    }


@derived
def staff_roles(features: tuple[Feature, ...]) -> dict[str, Rights]:
    pairs = [pair for feature in features for pair in feature.staff_permissions.items()]
    return {role: Rights.of(pages=[permission for permission, roles in pairs if role in roles]) for role in StaffRole}


@derived
def edition(_: tuple[Feature, ...]) -> str:
    """Of the table: a session's snapshot made under another one is not believed."""
    texts = "".join(f"{key}{rights.text}" for key, rights in {**built_in(), **staff_roles()}.items())
    return hashlib.sha256(texts.encode()).hexdigest()[:12]


ROLE_NAMES: dict[str, str] = {
    Role.ADMINISTRATOR: "Administrator",
    Role.MEMBER: "Member",
    Role.READER: "Reader",
}
ROLE_SUMMARIES: dict[str, str] = {
    Role.ADMINISTRATOR: "Everything, including who may sign in",
    Role.MEMBER: "Works with contacts and companies, imports",
    Role.READER: "Sees contacts and companies",
}


def staff_rights(role: str) -> Rights:
    return staff_roles().get(role, NOTHING)
