"""Logins made on the command line: users of a tenant, and the platform's staff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from config.settings import Settings
from provisioning.application import working_application
from qikbiz.audit.actions import record_on_platform
from qikbiz.identity.accounts.failures import AlreadyThere
from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.queries import account_named, has_users
from qikbiz.identity.accounts.realms import Account, Realm, same_address, staff_realm, tenant_realm
from qikbiz.identity.members.actions import invite_staff
from qikbiz.identity.members.operator_logins import add_first_administrator, invite_first_again, propose_user
from qikbiz.identity.mfa.actions import reset_factors
from qikbiz.identity.passwords.actions import set_password
from qikbiz.kernel.clock import now
from qikbiz.kernel.database import control_transaction, runtime, tenant_transaction
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Role
from tenants.context import Tenant
from tenants.control import TenantRecord


class BadLogin(Failure):
    """A login can't be made from what was given; the text says what to change."""

    key = "bad_login"


@dataclass(frozen=True)
class UserAnswer:
    """What `qikbiz user create` did: "created", "invited" (again, before there was a user) or "proposed"."""

    id: UUID
    outcome: Literal["created", "invited", "proposed"]


def create_user(
    settings: Settings, tenant: Tenant, *, email: str, name: str, role: str, read_password: Callable[[], str] | None
) -> UserAnswer:
    """The first administrator of `tenant` with a password, or else a user whom its administrators are asked to invite.

    `read_password` is asked for only for the first. Raises BadLogin, WeakPassword, AlreadyThere, NoSeatLeft.
    """
    address = _checked_email(email)
    with working_application(settings):
        with tenant_transaction(tenant):
            is_used, known = has_users(), account_named(tenant_realm().work, tenant_realm(), address)
        if is_used:
            return _in(tenant, "tenant.user_proposed", "proposed", lambda: propose_user(address, name, role))
        if known is not None:
            return _in(tenant, "tenant.user_invited", "invited", lambda: invite_first_again(address, name))
        if role != Role.ADMINISTRATOR:
            raise BadLogin(f"{tenant.name} has no users yet, so the first one must be an administrator.")
        if read_password is None:
            raise BadLogin("Use --password-stdin to pass the first administrator's password.")
        password = read_password()
        make = partial(add_first_administrator, address, name, password)
        return _in(tenant, "tenant.user_created", "created", make)


def refuse_password(settings: Settings, tenant: Tenant) -> None:
    """Once there are users, operators choose no password for one. Raises BadLogin."""
    with working_application(settings), tenant_transaction(tenant):
        if has_users():
            raise BadLogin(
                f"{tenant.name} has users already, so no password is accepted. Run this again without "
                "--password-stdin to ask its administrators to invite this user."
            )


def create_staff(settings: Settings, *, email: str, name: str, role: str, password: str) -> UUID:
    """A member of staff who can sign in at the console at once. Raises BadLogin, WeakPassword and AlreadyThere."""
    address = _checked_email(email)
    with working_application(settings), control_transaction():
        person = ready_person(staff_realm(), address, name, role)
        set_password(staff_realm(), person, password)
        record_on_platform("staff.created", subject=name, details={"role": role})
        staff_id: UUID = person.id
    return staff_id


def invite_staff_user(settings: Settings, *, email: str, name: str, role: str) -> str:
    """Email an invitation to the console; returns its link. Raises BadLogin and AlreadyThere."""
    address = _checked_email(email)
    with working_application(settings), control_transaction():
        return invite_staff(address, name, role)


def reset_staff_factors(settings: Settings, email: str) -> int:
    """Remove the second factors of a member of staff who has lost them; the next sign-in sets up new ones.

    Returns how many went. Raises BadLogin.
    """
    with working_application(settings), control_transaction():
        person = account_named(staff_realm().work, staff_realm(), email)
        if person is None:
            raise BadLogin(f"There is no staff user with the address {email}.")
        return reset_factors(staff_realm(), person, by="An operator on the command line")


def add_person(realm: Realm, email: str, name: str, role: str, *, password_hash: str) -> UUID:
    """The same with a password that was hashed already and is not judged: for demos and tests, never in production."""
    if runtime().settings.is_production:
        raise BadLogin("Users with known passwords are for demos only.")
    person = ready_person(realm, email, name, role)
    person.password_hash, person.password_changed_at = password_hash, now()
    realm.work.flush()
    return person.id


def ready_person(realm: Realm, email: str, name: str, role: str) -> Account:
    """The row of a user who may sign in from now on. One who was only invited becomes active."""
    person = account_named(realm.work, realm, email)
    if person is not None and person.state != "invited":
        raise AlreadyThere(f"{email} already has an account.")
    if person is None:
        person = realm.people(email=email, email_key=same_address(email))
        realm.work.add(person)
    person.name, person.state = name, "active"
    person.give_roles([role])
    realm.work.flush()
    return person


def _in(
    tenant: Tenant, action: str, outcome: Literal["created", "invited", "proposed"], act: Callable[[], User]
) -> UserAnswer:
    """Do it alone in the tenant, and write it into both audits."""
    with control_transaction() as control:
        control.get_one(TenantRecord, tenant.id, with_for_update=True)
        # The hash is made within the transaction, which takes longer than a request may.
        with tenant_transaction(tenant, statement_timeout_ms=60_000):
            user = act()
            user_id, roles = user.id, list(user.roles)
        record_on_platform(
            action, tenant_id=tenant.id, subject=tenant.slug, details={"user": str(user_id), "roles": roles}
        )
    return UserAnswer(user_id, outcome)


def _checked_email(email: str) -> str:
    try:
        return validate_email(email.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise BadLogin(f"{email!r} can't be used as an email address: {error}") from error
