"""Every permission. `kernel/access.py` says how a route declares one; features say who has which (`permissions=`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    COMPANY_EXPORT = "company:export"
    COMPANY_IMPORT = "company:import"
    COMPANY_PURGE = "company:purge"
    COMPANY_SEE = "company:see"
    CONTACT_CHANGE = "contact:change"
    CONTACT_CREATE = "contact:create"
    CONTACT_DELETE = "contact:delete"
    CONTACT_EXPORT = "contact:export"
    CONTACT_IMPORT = "contact:import"
    CONTACT_PURGE = "contact:purge"
    CONTACT_SEE = "contact:see"
    EXPORT_ASK = "export:ask"
    EXPORT_EVERYTHING = "export:everything"
    EXPORT_FETCH = "export:fetch"
    GRANT_GIVE = "grant:give"
    IMPORT_APPLY = "import:apply"
    IMPORT_SEE = "import:see"
    IMPORT_UNDO = "import:undo"
    PERSON_ANSWER = "person:answer"
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
    TENANT_LIMIT = "tenant:limit"
    TENANT_SEE = "tenant:see"
    TENANT_SUSPEND = "tenant:suspend"
    TICKET_ANSWER = "ticket:answer"
    USER_INVITE = "user:invite"
    USER_MANAGE = "user:manage"
    WORKSPACE_SEE = "workspace:see"


class Role(StrEnum):
    """The keys of the roles that every tenant has. The others are the tenant's own (`identity/roles/models.py`)."""

    ADMINISTRATOR = "administrator"
    MEMBER = "member"
    READER = "reader"


class StaffRole(StrEnum):
    """What platform staff may do at the console. None of it shows a row of a tenant."""

    OPERATOR = "operator"
    SUPPORT = "support"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class PageRight:
    """A page, or a part of it, that a tenant's roles can open. `label` ends the sentence "This role may …".

    The page of a role shows them in the order of `position`, where the entries of a group stand together.
    """

    permission: Permission
    position: int
    group: str
    label: str
