"""Every permission, every role, and how a route says which one it needs. The only table of rights."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


class Permission(StrEnum):
    """`<thing>:<action>`, in the alphabet's order. `PUBLIC` and `SIGNED_IN` are not granted, they are ways in."""

    PUBLIC = "public"
    SIGNED_IN = "signed-in"

    ABUSE_DECIDE = "abuse:decide"
    ABUSE_SEE = "abuse:see"
    ACCESS_LOG_SEE = "access-log:see"
    ANNOUNCEMENT_SEND = "announcement:send"
    AUDIT_SEE = "audit:see"
    CLOSING_ASK = "closing:ask"
    CLOSING_HANDLE = "closing:handle"
    COMPANY_CHANGE = "company:change"
    COMPANY_CREATE = "company:create"
    COMPANY_DELETE = "company:delete"
    COMPANY_PURGE = "company:purge"
    COMPANY_SEE = "company:see"
    CONTACT_CHANGE = "contact:change"
    CONTACT_CREATE = "contact:create"
    CONTACT_DELETE = "contact:delete"
    CONTACT_PURGE = "contact:purge"
    CONTACT_SEE = "contact:see"
    EXPORT_ASK = "export:ask"
    EXPORT_FETCH = "export:fetch"
    GRANT_GIVE = "grant:give"
    IMPORT_APPLY = "import:apply"
    IMPORT_SEE = "import:see"
    IMPORT_UNDO = "import:undo"
    PLATFORM_AUDIT_SEE = "platform-audit:see"
    PLATFORM_JOB_SEE = "platform-job:see"
    PLATFORM_MAIL_SEE = "platform-mail:see"
    POLICY_SET = "policy:set"
    ROLE_MANAGE = "role:manage"
    STATEMENT_ANNOUNCE = "statement:announce"
    TEAM_MANAGE = "team:manage"
    TENANT_CREATE = "tenant:create"
    TENANT_DELETE = "tenant:delete"
    TENANT_ENTER = "tenant:enter"
    TENANT_EXPORT = "tenant:export"
    TENANT_IMPORT = "tenant:import"
    TENANT_SEE = "tenant:see"
    TENANT_SUSPEND = "tenant:suspend"
    TICKET_ANSWER = "ticket:answer"
    USER_INVITE = "user:invite"
    USER_MANAGE = "user:manage"


class Role(StrEnum):
    """What a login of a tenant may do."""

    ADMINISTRATOR = "administrator"
    MEMBER = "member"
    READER = "reader"


class StaffRole(StrEnum):
    """What platform staff may do at the console. None of it shows a row of a tenant."""

    OPERATOR = "operator"
    SUPPORT = "support"
    AUDITOR = "auditor"


P = Permission
_READER = frozenset({P.SIGNED_IN, P.CONTACT_SEE, P.COMPANY_SEE})
_MEMBER = _READER | {
    P.CONTACT_CREATE,
    P.CONTACT_CHANGE,
    P.CONTACT_DELETE,
    P.COMPANY_CREATE,
    P.COMPANY_CHANGE,
    P.COMPANY_DELETE,
    P.IMPORT_SEE,
    P.IMPORT_APPLY,
    P.IMPORT_UNDO,
}
_ADMINISTRATOR = _MEMBER | {
    P.EXPORT_ASK,
    P.EXPORT_FETCH,
    P.USER_INVITE,
    P.USER_MANAGE,
    P.AUDIT_SEE,
    P.COMPANY_PURGE,
    P.CONTACT_PURGE,
    P.ACCESS_LOG_SEE,
    P.CLOSING_ASK,
    P.GRANT_GIVE,
    P.POLICY_SET,
    P.ROLE_MANAGE,
    P.TEAM_MANAGE,
}
_SUPPORT = frozenset(
    {P.SIGNED_IN, P.TENANT_SEE, P.TENANT_EXPORT, P.TENANT_IMPORT, P.PLATFORM_JOB_SEE, P.PLATFORM_MAIL_SEE, P.ABUSE_SEE}
    | {P.TENANT_ENTER, P.TICKET_ANSWER}
)

ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.READER: _READER,
    Role.MEMBER: _MEMBER,
    Role.ADMINISTRATOR: _ADMINISTRATOR,
    StaffRole.AUDITOR: frozenset({P.SIGNED_IN, P.TENANT_SEE, P.PLATFORM_AUDIT_SEE, P.PLATFORM_JOB_SEE, P.ABUSE_SEE}),
    StaffRole.SUPPORT: _SUPPORT,
    StaffRole.OPERATOR: _SUPPORT
    | {P.TENANT_CREATE, P.TENANT_SUSPEND, P.TENANT_DELETE, P.PLATFORM_AUDIT_SEE, P.ABUSE_DECIDE}
    | {P.ANNOUNCEMENT_SEND, P.CLOSING_HANDLE, P.STATEMENT_ANNOUNCE},
}


def allows(role: str, permission: Permission) -> bool:
    """Whether `role` has `permission`. An unknown role has none."""
    return permission in ROLE_PERMISSIONS.get(role, frozenset())


def requires(permission: Permission) -> Callable[[View], View]:
    """Declare the permission that a route needs; the front door checks it before the view runs."""

    def declare(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]  # read back by `permission_of`
        return view

    return declare


def public(view: View) -> View:
    """Declare that a route needs no login."""
    return requires(Permission.PUBLIC)(view)


def permission_of(view: Callable[..., Any]) -> Permission | None:
    """What the view declared, or None: such a route is never served."""
    return getattr(view, "permission", None)
