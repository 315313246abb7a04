"""The table of rights: the built-in roles, what staff may do, and every page that a role can open. The only source.

A test fails for a permission that has no place here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from qikbiz.kernel.permissions import Permission, Role, StaffRole
from qikbiz.kernel.rights import NOTHING, Rights

P = Permission


@dataclass(frozen=True, slots=True)
class PageRight:
    """A page, or a part of it, that a role can open. `label` ends the sentence "This role may …"."""

    permission: Permission
    group: str
    label: str


# In the order in which the page of a role shows them; the entries of a group stand together.
PAGE_RIGHTS = (
    PageRight(P.USER_INVITE, "People", "invite users"),
    PageRight(P.USER_MANAGE, "People", "see users, change their roles, deactivate them and hand over their records"),
    PageRight(P.TEAM_MANAGE, "People", "make teams and choose who is in them"),
    PageRight(P.ROLE_MANAGE, "People", "make and change roles, and look at the product as others see it"),
    PageRight(P.AUDIT_SEE, "Privacy", "read the audit"),
    PageRight(P.ACCESS_LOG_SEE, "Privacy", "read the access log"),
    PageRight(P.GRANT_GIVE, "Privacy", "let QikBiz staff in, and end that"),
    PageRight(P.CONTACT_PURGE, "Records", "remove contacts in the trash for good"),
    PageRight(P.COMPANY_PURGE, "Records", "remove companies in the trash for good"),
    PageRight(P.PERSON_ANSWER, "Records", "hand people everything about themselves, and erase them for good"),
    PageRight(P.EXPORT_EVERYTHING, "Records", "export everything, with users, histories and the audit"),
    PageRight(P.POLICY_SET, "Organisation", "set the rules for passwords, logins and networks"),
    PageRight(P.CLOSING_ASK, "Organisation", "see what is billed, and end the contract"),
)

_SUPPORT = frozenset(
    {P.TENANT_SEE, P.TENANT_EXPORT, P.TENANT_IMPORT, P.PLATFORM_JOB_SEE, P.PLATFORM_MAIL_SEE, P.ABUSE_SEE}
    | {P.TENANT_ENTER, P.TICKET_ANSWER}
)
_OPERATOR = _SUPPORT | {
    P.TENANT_CREATE,
    P.TENANT_LIMIT,
    P.TENANT_SUSPEND,
    P.TENANT_DELETE,
    P.PLATFORM_AUDIT_SEE,
    P.ABUSE_DECIDE,
    P.ANNOUNCEMENT_SEND,
    P.CLOSING_HANDLE,
    P.STATEMENT_ANNOUNCE,
}

EVERYTHING = Rights.of(
    see="all",
    create="all",
    change="all",
    delete="all",
    export="all",
    import_="all",
    pages=[right.permission for right in PAGE_RIGHTS],
)
BUILT_IN: dict[str, Rights] = {
    Role.ADMINISTRATOR: EVERYTHING,
    Role.MEMBER: Rights.of(see="all", create="all", change="all", delete="all", import_="all"),
    Role.READER: Rights.of(see="all"),
}
STAFF: dict[str, Rights] = {
    StaffRole.AUDITOR: Rights.of(pages=[P.TENANT_SEE, P.PLATFORM_AUDIT_SEE, P.PLATFORM_JOB_SEE, P.ABUSE_SEE]),
    StaffRole.SUPPORT: Rights.of(pages=_SUPPORT),
    StaffRole.OPERATOR: Rights.of(pages=_OPERATOR),
}
ROLE_NAMES: dict[str, str] = {
    Role.ADMINISTRATOR: "Administrator",
    Role.MEMBER: "Member",
    Role.READER: "Reader",
}
ROLE_SUMMARIES: dict[str, str] = {
    Role.ADMINISTRATOR: "Everything, and who may log in",
    Role.MEMBER: "Works with contacts and companies, imports",
    Role.READER: "Sees contacts and companies",
}


def allows(role: str, permission: Permission) -> bool:
    """Whether a built-in role, of a tenant or of staff, has `permission`. An unknown role has none."""
    rights = BUILT_IN.get(role) or STAFF.get(role)
    return rights is not None and rights.can(permission)


def staff_rights(role: str) -> Rights:
    return STAFF.get(role, NOTHING)


def _edition() -> str:
    texts = "".join(f"{key}{rights.text}" for key, rights in {**BUILT_IN, **STAFF}.items())
    return hashlib.sha256(texts.encode()).hexdigest()[:12]


# A session's snapshot made under another table is not believed.
EDITION = _edition()
