"""Every permission. `kernel/access.py` says how a route declares one; features say who has which (`permissions=`).

A permission is a page's, and listed here, or an act on the records of one type, and made from the type's name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Action(StrEnum):
    """What can be done to records of a type, to all of them or to those of some owners."""

    SEE = "see"
    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    EXPORT = "export"
    IMPORT = "import"


# To delete a record permanently, of any owner: allowed as a page is.
PURGE = "purge"


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


class RecordPermission(str):
    """An act on the records of one type, such as `contact:change`. Made by `record_permission`."""

    __slots__ = ()

    @property
    def record_type(self) -> str:
        return self.partition(":")[0]

    @property
    def action(self) -> Action | None:
        """None for purging, which has no scope."""
        verb = self.partition(":")[2]
        return None if verb == PURGE else Action(verb)


AnyPermission = Permission | RecordPermission
_RECORD_TYPES: list[str] = []


def register_record_type(name: str) -> None:
    """Let there be the permissions of a record type. Raises RuntimeError for a second one of that name."""
    if name in _RECORD_TYPES:
        raise RuntimeError(f"A record type called {name!r} is registered already.")
    _RECORD_TYPES.append(name)


def record_types() -> tuple[str, ...]:
    """The names of the record types of this process, in order."""
    return tuple(_RECORD_TYPES)


@lru_cache(maxsize=1_000)
def record_permission(record_type: str, verb: str) -> RecordPermission:
    """Raises ValueError for an act that there isn't."""
    if verb != PURGE:
        Action(verb)
    return RecordPermission(f"{record_type}:{verb}")


def permission_named(text: str) -> AnyPermission:
    """The permission that is written so. Raises ValueError for one that there isn't."""
    if isinstance(text, Permission | RecordPermission):
        return text
    record_type, _, verb = text.partition(":")
    return record_permission(record_type, verb) if record_type in _RECORD_TYPES else Permission(text)


def known_permissions(texts: Iterable[str]) -> frozenset[AnyPermission]:
    """Those of `texts` that there are."""
    found = set()
    for text in texts:
        try:
            found.add(permission_named(text))
        except ValueError:
            continue
    return frozenset(found)


def every_permission() -> frozenset[AnyPermission]:
    """All pages', and every act on every record type of this process."""
    verbs = (*Action, PURGE)
    return frozenset(Permission) | {record_permission(kind, verb) for kind in record_types() for verb in verbs}


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

    permission: AnyPermission
    position: int
    group: str
    label: str


def purge_right(record_type: str, plural: str, position: int) -> PageRight:
    """The right to delete records of a type permanently."""
    return PageRight(
        record_permission(record_type, PURGE), position, "Records", f"permanently delete {plural} in the trash"
    )
