"""The tenant that this request, job or command works for. It is decided once, and there is no default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

TenantState = Literal["creating", "active", "suspended", "closing", "closed"]
_OPAQUE_NAME = re.compile(r"t_[a-z0-9]{12,20}")
_GUEST_NAME = re.compile(r"g_[a-z0-9]{12,20}")
WATCH_ROLE = "qb_watch"


class NoTenantEntered(Exception):
    """Tenant data was asked for while no tenant was entered."""


class WrongTenant(Exception):
    """Something made for one tenant was used while another was entered."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer organisation as the directory knows it.

    `schema` and `role` are opaque names (t_ and random letters), so that a catalog names no customer.
    `read_only_until` is set while its account is closing: until then everything can be read, then it is erased.
    `country` (ISO 3166, two letters) is that of phone numbers without a country code, `currency` (ISO 4217) that of
    amounts without one; "" for none. `week_start` is "monday", "sunday", "saturday" or "" for as in the country.
    `logo` is the name of its picture, `<digest>-<width>x<height>`; "" without one.
    `seats` is how many people may have a login, None without a limit.
    `epoch` grows whenever every session of the tenant must end. `version` is its schema's migration.
    """

    id: UUID
    slug: str
    name: str
    state: TenantState
    schema: str
    role: str
    cell: str
    epoch: int = 1
    version: str = ""
    accent: str = "blue"
    time_zone: str = "UTC"
    country: str = ""
    currency: str = ""
    week_start: str = ""
    logo: str = ""
    state_reason: str = ""
    read_only_until: datetime | None = None
    seats: int | None = None
    host: str = ""
    hosts: tuple[str, ...] = field(default=())

    @property
    def is_read_only(self) -> bool:
        """Whether its people may read and export, and change nothing: suspended, or its account is closing."""
        return self.state == "suspended" or self.read_only_until is not None

    @property
    def logo_size(self) -> tuple[int, int]:
        """Width and height of the logo in pixels; (0, 0) without one."""
        width, _, height = self.logo.rpartition("-")[2].partition("x")
        return int(width or 0), int(height or 0)

    def __post_init__(self) -> None:
        # These two become identifiers in SQL that takes no parameters.
        for name in (self.schema, self.role):
            if not _OPAQUE_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not the name of a tenant's schema or role.")


@dataclass(frozen=True, slots=True)
class Guest:
    """Staff inside a tenant: a login of the database that exists only while the customer's grant does.

    `dsn` is how it connects. Without one it is the watcher: a role that reads the outcome of jobs and mails, and
    not their contents.
    """

    role: str
    dsn: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        # Becomes an identifier in SQL that takes no parameters.
        is_watcher = self.role == WATCH_ROLE and not self.dsn
        if not is_watcher and not (_GUEST_NAME.fullmatch(self.role) and self.dsn):
            raise ValueError(f"{self.role!r} is not the name of a guest's role.")


WATCHER = Guest(WATCH_ROLE)


@dataclass(frozen=True, slots=True)
class TenantContext:
    """How a tenant was entered: what the first statement of each transaction sets."""

    tenant: Tenant
    statement_timeout_ms: int = 10_000
    lock_timeout_ms: int = 3_000
    snapshot: bool = False
    guest: Guest | None = None

    @property
    def role(self) -> str:
        """The database's role that the work is done with."""
        return self.guest.role if self.guest else self.tenant.role

    def opening(self) -> bytes:
        """The batch that opens a transaction: BEGIN, the role, the path and the limits, in one round trip."""
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if self.snapshot else "BEGIN"
        return (
            f'{begin}; SET LOCAL ROLE "{self.role}"; SET LOCAL search_path = "{self.tenant.schema}", pg_temp; '
            f"SET LOCAL statement_timeout = {int(self.statement_timeout_ms)}; "
            f"SET LOCAL lock_timeout = {int(self.lock_timeout_ms)}"
        ).encode("ascii")


_entry: ContextVar[TenantContext | None] = ContextVar("qikbiz_entry", default=None)


def current_tenant() -> Tenant:
    """The tenant entered. Raises NoTenantEntered when there is none."""
    return current_entry().tenant


def current_entry() -> TenantContext:
    entry = _entry.get()
    if entry is None:
        raise NoTenantEntered("No tenant was entered, so there are no rows to read or write.")
    return entry


def tenant_or_none() -> Tenant | None:
    """For logs and scopes only: never decide access on it."""
    entry = _entry.get()
    return entry.tenant if entry else None


def entry_or_none() -> TenantContext | None:
    """As `tenant_or_none`, with the role and the limits."""
    return _entry.get()


@contextmanager
def tenant_context(
    tenant: Tenant,
    *,
    statement_timeout_ms: int = 10_000,
    lock_timeout_ms: int = 3_000,
    snapshot: bool = False,
    guest: Guest | None = None,
) -> Iterator[Tenant]:
    """Work for `tenant` inside the block. `snapshot` makes its transactions REPEATABLE READ READ ONLY.

    Entering a second tenant inside the first is refused: nothing in the product works for two at once. A `guest`
    stays one in every block inside.
    """
    before = _entry.get()
    if before is not None and before.tenant.id != tenant.id:
        raise WrongTenant("Another tenant is already entered.")
    if before is not None and before.guest is not None:
        if guest not in (None, before.guest):
            raise WrongTenant("A guest can't become another one.")
        guest = before.guest
    token = _entry.set(TenantContext(tenant, statement_timeout_ms, lock_timeout_ms, snapshot, guest))
    try:
        yield tenant
    finally:
        _entry.reset(token)
