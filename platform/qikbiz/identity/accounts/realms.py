"""Whose logins: the users of one tenant, or the platform's staff. The same machinery serves both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from flask import current_app
from sqlalchemy.orm import Session

from qikbiz.identity.accounts.models import User, UserFactor, UserSession, UserToken
from qikbiz.identity.login_columns import FactorColumns, PersonColumns, SessionColumns, TokenColumns
from qikbiz.identity.staff.models import Staff, StaffFactor, StaffSession, StaffToken
from qikbiz.kernel.database import control_transaction, db, runtime, tenant_transaction
from qikbiz.web.request_context import destination
from tenants.context import Tenant, current_tenant

Account = PersonColumns
AccountSession = SessionColumns
Factor = FactorColumns


@dataclass(frozen=True)
class Realm:
    """`tenant` is None for staff. `host` is where links in mails lead.

    `people`, `sessions`, `tokens` and `factors` are one of two tables with equal columns.
    """

    tenant: Tenant | None
    host: str

    @property
    def kind(self) -> Literal["user", "staff"]:
        return "user" if self.tenant else "staff"

    @property
    def people(self) -> type[PersonColumns]:
        return User if self.tenant else Staff

    @property
    def sessions(self) -> type[SessionColumns]:
        return UserSession if self.tenant else StaffSession

    @property
    def tokens(self) -> type[TokenColumns]:
        return UserToken if self.tenant else StaffToken

    @property
    def factors(self) -> type[FactorColumns]:
        return UserFactor if self.tenant else StaffFactor

    @property
    def epoch(self) -> int:
        """Grows whenever every session of the tenant must end. Felt within a second: the directory says it."""
        return self.tenant.epoch if self.tenant else 1

    @property
    def name(self) -> str:
        return self.tenant.name if self.tenant else "QikBiz console"

    @property
    def work(self) -> Session:
        """The session of the request's own transaction."""
        return db.session() if self.tenant else db.control()

    def key(self, *parts: str) -> str:
        redis = runtime().redis
        return redis.tenant_key(self.tenant.id, *parts) if self.tenant else redis.platform_key("staff", *parts)

    def mac(self, purpose: str, message: bytes) -> bytes:
        return runtime().settings.keys.mac(purpose, self._bound(message))

    def macs(self, purpose: str, message: bytes) -> tuple[bytes, ...]:
        """The MAC under each key still accepted, for look-ups while keys are rolled."""
        return runtime().settings.keys.macs(purpose, self._bound(message))

    def url(self, path: str) -> str:
        return runtime().settings.origin(self.host) + path

    @contextmanager
    def own_work(self) -> Iterator[Session]:
        """A transaction apart from the request's: it holds even when the request fails. Ask for it first or last,
        so that no thread waits for a second connection while it holds one."""
        with current_app.app_context():
            work = tenant_transaction(self.tenant) if self.tenant else control_transaction()
            with work as session:
                yield session

    def _bound(self, message: bytes) -> bytes:
        return (self.tenant.id.bytes if self.tenant else b"staff") + b"|" + message


def realm_of_request() -> Realm | None:
    """The realm that the host of the current request belongs to; None where nobody signs in."""
    where = destination()
    if where.tenant is not None:
        return Realm(where.tenant, where.tenant.host)
    return Realm(None, where.host) if where.surface == "console" else None


def current_realm() -> Realm:
    """As `realm_of_request`, for views that exist only where people sign in."""
    realm = realm_of_request()
    if realm is None:
        raise LookupError("This host has no sign-in.")
    return realm


def tenant_realm() -> Realm:
    """The realm of the tenant entered, for commands and jobs."""
    tenant = current_tenant()
    return Realm(tenant, tenant.host)


def staff_realm() -> Realm:
    return Realm(None, f"console.{runtime().settings.base_domain}")


def names_of(realm: Realm, name: str, email: str) -> list[str]:
    """Words about this login that nobody's password may mostly consist of."""
    slug = [realm.tenant.slug] if realm.tenant else []
    return [realm.name, name, email, *email.split("@"), *slug]


def same_address(email: str) -> str:
    """An e-mail address folded for look-up: what differs only in case is the same login."""
    return email.strip().casefold()
