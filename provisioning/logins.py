"""Logins made on the command line: users of a tenant, and the platform's staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.settings import Settings
from provisioning.application import working_application
from qikbiz.accounts import times
from qikbiz.accounts.models import User
from qikbiz.accounts.passwords import hash_password, problem_with
from qikbiz.audit.actions import record, record_on_platform
from qikbiz.console.models import Staff
from qikbiz.database import control_work, tenant_work
from qikbiz.failures import Conflict, Failure
from tenants.context import Tenant


class BadLogin(Failure):
    """A login can't be made from what was given; the text says what to change."""

    key = "bad_login"


def create_user(settings: Settings, tenant: Tenant, *, email: str, name: str, role: str, password: str) -> UUID:
    """A login of `tenant` that works at once. Raises BadLogin and Conflict."""
    address = _checked_email(email)
    with working_application(settings):
        hashed = _hashed(password, (tenant.slug, tenant.name, name, address))
        with tenant_work(tenant) as session:
            user_id = add_person(session, User, email=address, name=name, role=role, password_hash=hashed)
            record("user.created", record_type="user", record_id=user_id, subject=name, details={"role": role})
    return user_id


def create_staff(settings: Settings, *, email: str, name: str, role: str, password: str) -> UUID:
    """A member of staff who can log in at the console at once. Raises BadLogin and Conflict."""
    address = _checked_email(email)
    with working_application(settings):
        hashed = _hashed(password, ("qikbiz", name, address))
        with control_work() as session:
            staff_id = add_person(session, Staff, email=address, name=name, role=role, password_hash=hashed)
            record_on_platform("staff.created", subject=name, details={"role": role})
    return staff_id


def add_person(
    session: Session, model: type[User | Staff], *, email: str, name: str, role: str, password_hash: str
) -> UUID:
    """The row of somebody who may log in from now on. Somebody who was only invited becomes active."""
    # Both have the columns of a person, which their two metadata don't let mypy see.
    person: Any = session.scalar(select(model).where(model.email_key == email.casefold()))
    if person is not None and person.state != "invited":
        raise Conflict(f"{email} has a login already.")
    if person is None:
        person = model(email=email, email_key=email.casefold())
        session.add(person)
    person.name, person.role, person.state = name, role, "active"
    person.password_hash, person.password_changed_at = password_hash, times.now()
    session.flush()
    made: UUID = person.id
    return made


def _hashed(password: str, context: tuple[str, ...]) -> str:
    problem = problem_with(password, context=context)
    if problem is not None:
        raise BadLogin(problem)
    return hash_password(password)


def _checked_email(email: str) -> str:
    try:
        return validate_email(email.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise BadLogin(f"{email!r} can't be used as an e-mail address: {error}") from error
