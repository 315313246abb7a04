"""Logins made on the command line: users of a tenant, and the platform's staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from config.settings import Settings
from provisioning.application import working_application
from qikbiz.accounts.actions import set_password
from qikbiz.accounts.failures import AlreadyThere
from qikbiz.accounts.queries import account_named
from qikbiz.accounts.realms import Realm, same_address, staff_realm, tenant_realm
from qikbiz.accounts.times import now
from qikbiz.audit.actions import record, record_on_platform
from qikbiz.database import control_work, tenant_work
from qikbiz.factors.actions import reset_factors
from qikbiz.failures import Failure
from tenants.context import Tenant


class BadLogin(Failure):
    """A login can't be made from what was given; the text says what to change."""

    key = "bad_login"


def create_user(settings: Settings, tenant: Tenant, *, email: str, name: str, role: str, password: str) -> UUID:
    """A login of `tenant` that works at once. Raises BadLogin, WeakPassword and AlreadyThere."""
    address = _checked_email(email)
    # The hash is made within the transaction, which takes longer than a request may.
    with working_application(settings), tenant_work(tenant, statement_timeout_ms=60_000):
        person = ready_person(tenant_realm(), address, name, role)
        set_password(tenant_realm(), person, password)
        record("user.created", record_type="user", record_id=person.id, subject=name, details={"role": role})
        user_id: UUID = person.id
    return user_id


def create_staff(settings: Settings, *, email: str, name: str, role: str, password: str) -> UUID:
    """A member of staff who can log in at the console at once. Raises BadLogin, WeakPassword and AlreadyThere."""
    address = _checked_email(email)
    with working_application(settings), control_work():
        person = ready_person(staff_realm(), address, name, role)
        set_password(staff_realm(), person, password)
        record_on_platform("staff.created", subject=name, details={"role": role})
        staff_id: UUID = person.id
    return staff_id


def reset_staff_factors(settings: Settings, email: str) -> int:
    """Take the second factors off somebody of the staff who has lost them; they set up new ones at the next login.

    Returns how many went. Raises BadLogin.
    """
    with working_application(settings), control_work():
        person = account_named(staff_realm().work, staff_realm(), email)
        if person is None:
            raise BadLogin(f"Nobody of the staff has the address {email}.")
        return reset_factors(staff_realm(), person, by="Somebody at the command line of the servers")


def add_person(realm: Realm, email: str, name: str, role: str, *, password_hash: str) -> UUID:
    """The same with a password that was hashed already and is not judged: for demos and tests."""
    person = ready_person(realm, email, name, role)
    person.password_hash, person.password_changed_at = password_hash, now()
    realm.work.flush()
    person_id: UUID = person.id
    return person_id


def ready_person(realm: Realm, email: str, name: str, role: str) -> Any:
    """The row of somebody who may log in from now on. Somebody who was only invited becomes active."""
    person: Any = account_named(realm.work, realm, email)
    if person is not None and person.state != "invited":
        raise AlreadyThere(f"{email} has a login already.")
    if person is None:
        person = realm.people(email=email, email_key=same_address(email))
        realm.work.add(person)
    person.name, person.state = name, "active"
    realm.give_roles(person, [role])
    realm.work.flush()
    return person


def _checked_email(email: str) -> str:
    try:
        return validate_email(email.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise BadLogin(f"{email!r} can't be used as an e-mail address: {error}") from error
