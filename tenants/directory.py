"""Host name → tenant. One function decides, from memory; a thread keeps the memory fresh.

Each change of the directory raises one version in the control database, in the same transaction. Every process looks
at that version a few times a second, outside of any request, and reads what changed. So a change applies everywhere
within a second, with or without Redis, and a request does not query the control database.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import idna
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tenants.context import Tenant
from tenants.control import Domain, TenantRecord

Surface = Literal["tenant", "console", "site", "unknown"]
LOOK_EVERY_SECONDS = 0.4
STALE_AFTER_SECONDS = 60.0
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
logger = logging.getLogger(__name__)


class DirectoryAway(Exception):
    """The control database has not answered for so long that what is remembered can't be trusted."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request goes. `tenant` is set exactly when the surface is "tenant"."""

    surface: Surface
    host: str
    tenant: Tenant | None = None


def normalise_host(header: str | None) -> str | None:
    """The Host header as lower-case ASCII without port or trailing dot, or None when it is no host name.

    RFC 9110 7.2, IDNA 2008.
    """
    if not header or len(header) > 512 or header != header.strip():
        return None
    name, _, port = header.partition(":")
    if port and not (port.isascii() and port.isdigit()):
        return None
    name = name.removesuffix(".")
    try:
        name = name.lower() if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None
    if len(name) > 253 or not name or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return None
    return name


class Directory:
    """The directory of one process: every tenant and host, read once and then only what changed."""

    def __init__(self, engine: Engine, base_domain: str) -> None:
        self._engine = engine
        self._base = base_domain
        self._lock = threading.Lock()
        self._by_host: Mapping[str, Tenant] = {}
        self._by_id: Mapping[UUID, Tenant] = {}
        self._version = -1
        self._looked_at = float("-inf")
        self._watching = 0
        self._stop = threading.Event()

    def resolve(self, header: str | None) -> Destination:
        """Where a request with this Host header goes. Never falls back to a tenant."""
        host = normalise_host(header)
        if host is None:
            return Destination("unknown", "")
        if host in (self._base, f"www.{self._base}"):
            return Destination("site", host)
        if host == f"console.{self._base}":
            return Destination("console", host)
        self.ensure_fresh()
        tenant = self._by_host.get(host)
        return Destination("tenant", host, tenant) if tenant else Destination("unknown", host)

    def tenant(self, tenant_id: UUID) -> Tenant | None:
        self.ensure_fresh()
        return self._by_id.get(tenant_id)

    def tenant_by_slug(self, slug: str) -> Tenant | None:
        self.ensure_fresh()
        return self._by_host.get(f"{slug}.{self._base}")

    def tenants(self) -> list[Tenant]:
        self.ensure_fresh()
        return list(self._by_id.values())

    def ensure_fresh(self) -> None:
        """Read the directory when this process has none yet, and start watching it. Raises DirectoryAway."""
        if self._watching != os.getpid():
            self._start_watching()
        if time.monotonic() - self._looked_at > STALE_AFTER_SECONDS:
            self.look()
            if time.monotonic() - self._looked_at > STALE_AFTER_SECONDS:
                raise DirectoryAway

    def look(self) -> None:
        """Ask for the version and read what changed since. A failure leaves what is remembered as it is."""
        try:
            with self._lock, Session(self._engine) as session:
                version = session.execute(text("SELECT version FROM directory_state")).scalar_one()
                if version != self._version:
                    self._read(session, version)
                self._looked_at = time.monotonic()
        except SQLAlchemyError as error:
            logger.warning("directory_not_read", extra={"reason": type(error).__name__})

    def stop(self) -> None:
        self._stop.set()

    def _read(self, session: Session, version: int) -> None:
        changed = select(TenantRecord).where(TenantRecord.directory_version > self._version)
        records = session.scalars(changed).all()
        domains: dict[UUID, list[str]] = {}
        wanted = [record.id for record in records]
        for domain in session.scalars(
            select(Domain).where(Domain.tenant_id.in_(wanted), Domain.verified_at.is_not(None))
        ):
            domains.setdefault(domain.tenant_id, []).append(domain.host)
        by_id = dict(self._by_id)
        for record in records:
            by_id[record.id] = _tenant_of(record, tuple(sorted(domains.get(record.id, []))), self._base)
        gone = set(by_id) - set(session.scalars(select(TenantRecord.id))) if self._by_id else set()
        for tenant_id in gone:
            del by_id[tenant_id]
        # Two assignments of whole maps: a reader sees the old or the new, never half of one.
        self._by_host = {host: tenant for tenant in by_id.values() for host in tenant.hosts}
        self._by_id = by_id
        self._version = version

    def _start_watching(self) -> None:
        with self._lock:
            if self._watching == os.getpid():
                return
            self._watching = os.getpid()
        self.look()
        threading.Thread(target=self._watch, name="directory", daemon=True).start()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY_SECONDS):
            self.look()


def touch_directory(session: Session, record: TenantRecord) -> None:
    """Make every process read `record` (and its domains) again: raise the version in this transaction."""
    statement = text("UPDATE directory_state SET version = version + 1 RETURNING version")
    record.directory_version = session.execute(statement).scalar_one()


def read_tenant(session: Session, tenant_id: UUID, base_domain: str) -> Tenant | None:
    """One tenant, read now: for a process that serves one and need not remember the others."""
    record = session.get(TenantRecord, tenant_id)
    if record is None:
        return None
    verified = select(Domain.host).where(Domain.tenant_id == tenant_id, Domain.verified_at.is_not(None))
    return _tenant_of(record, tuple(sorted(session.scalars(verified))), base_domain)


def _tenant_of(record: TenantRecord, domains: tuple[str, ...], base_domain: str) -> Tenant:
    own = f"{record.slug}.{base_domain}"
    values: dict[str, Any] = {
        "id": record.id,
        "slug": record.slug,
        "name": record.name,
        "state": record.state,
        "state_reason": record.state_reason,
        "read_only_until": record.read_only_until,
        "seats": record.seats,
        "schema": record.schema_name,
        "role": record.role_name,
        "cell": record.cell_name,
        "epoch": record.epoch,
        "version": record.version,
        "accent": record.accent,
        "time_zone": record.time_zone,
        "country": record.country,
        "currency": record.currency,
        "week_start": record.week_start,
        "logo": record.logo,
        "host": own,
        "hosts": (own, *domains),
    }
    return Tenant(**values)
