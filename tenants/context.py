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


class NoTenantEntered(Exception):
    """Tenant data was asked for while no tenant was entered."""


class WrongTenant(Exception):
    """Something made for one tenant was used while another was entered."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer organisation as the directory knows it.

    `schema` and `role` are opaque names (t_ and random letters), so that a catalog names no customer.
    `read_only_until` is set while its account is closing: until then everything can be read, then it is erased.
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
    state_reason: str = ""
    read_only_until: datetime | None = None
    host: str = ""
    hosts: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        # These two become identifiers in SQL that takes no parameters.
        for name in (self.schema, self.role):
            if not _OPAQUE_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not the name of a tenant's schema or role.")


@dataclass(frozen=True, slots=True)
class Entry:
    """How a tenant was entered: what the first statement of each transaction sets."""

    tenant: Tenant
    statement_timeout_ms: int = 10_000
    lock_timeout_ms: int = 3_000
    snapshot: bool = False

    def opening(self) -> bytes:
        """The batch that opens a transaction: BEGIN, the role, the path and the limits, in one round trip."""
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if self.snapshot else "BEGIN"
        return (
            f'{begin}; SET LOCAL ROLE "{self.tenant.role}"; SET LOCAL search_path = "{self.tenant.schema}", pg_temp; '
            f"SET LOCAL statement_timeout = {int(self.statement_timeout_ms)}; "
            f"SET LOCAL lock_timeout = {int(self.lock_timeout_ms)}"
        ).encode("ascii")


_entry: ContextVar[Entry | None] = ContextVar("qikbiz_entry", default=None)


def current_tenant() -> Tenant:
    """The tenant entered. Raises NoTenantEntered when there is none."""
    return current_entry().tenant


def current_entry() -> Entry:
    entry = _entry.get()
    if entry is None:
        raise NoTenantEntered("No tenant was entered, so there are no rows to read or write.")
    return entry


def tenant_or_none() -> Tenant | None:
    """For logs and scopes only: never decide access on it."""
    entry = _entry.get()
    return entry.tenant if entry else None


@contextmanager
def entered(
    tenant: Tenant, *, statement_timeout_ms: int = 10_000, lock_timeout_ms: int = 3_000, snapshot: bool = False
) -> Iterator[Tenant]:
    """Work for `tenant` inside the block. `snapshot` makes its transactions REPEATABLE READ READ ONLY.

    Entering a second tenant inside the first is refused: nothing in the product works for two at once.
    """
    before = _entry.get()
    if before is not None and before.tenant.id != tenant.id:
        raise WrongTenant("Another tenant is already entered.")
    token = _entry.set(Entry(tenant, statement_timeout_ms, lock_timeout_ms, snapshot))
    try:
        yield tenant
    finally:
        _entry.reset(token)
