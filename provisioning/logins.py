"""Logins made on the command line: users of a tenant, and the platform's staff."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy import select

from config.settings import Settings
from provisioning.application import working_application
from qikbiz.accounts.models import User
from qikbiz.console.models import Staff
from qikbiz.database import control_work, tenant_work
from qikbiz.failures import Conflict
from tenants.context import Tenant


def hash_password(settings: Settings, password: str) -> str:
    hasher = PasswordHasher(time_cost=settings.argon2_iterations, memory_cost=settings.argon2_memory_kib, parallelism=1)
    return hasher.hash(password)


def add_user(settings: Settings, tenant: Tenant, *, email: str, name: str, role: str, password_hash: str) -> UUID:
    """A login that works at once. Raises Conflict when the address has one."""
    with working_application(settings), tenant_work(tenant) as session:
        if session.scalars(select(User.id).where(User.email_key == email.casefold())).first():
            raise Conflict(f"{email} has a login at {tenant.slug!r} already.")
        user = User(
            email=email,
            email_key=email.casefold(),
            name=name,
            role=role,
            state="active",
            password_hash=password_hash,
            password_changed_at=datetime.now(UTC),
        )
        session.add(user)
        session.flush()
        return user.id


def add_staff(settings: Settings, *, email: str, name: str, role: str, password_hash: str) -> UUID:
    """A member of staff who can log in at the console at once. Raises Conflict when the address has a login."""
    with working_application(settings), control_work() as session:
        if session.scalars(select(Staff.id).where(Staff.email_key == email.casefold())).first():
            raise Conflict(f"{email} is staff already.")
        staff = Staff(
            email=email,
            email_key=email.casefold(),
            name=name,
            role=role,
            state="active",
            password_hash=password_hash,
            password_changed_at=datetime.now(UTC),
        )
        session.add(staff)
        session.flush()
        return staff.id
