"""Acme Industrial and Globex Logistics: made once, left alone afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.settings import Settings
from provisioning.application import working_application
from provisioning.create import create_tenant
from provisioning.demo.records import Inventor, Owner, Row, start_of_today
from provisioning.logins import add_person
from provisioning.servers import Connection
from provisioning.usage import measure_tenants, refresh_estimates
from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.realms import staff_realm, tenant_realm
from qikbiz.identity.mfa.actions import keep_app
from qikbiz.identity.mfa.demo_codes import demo_secret
from qikbiz.identity.passwords.hashing import hash_password
from qikbiz.identity.staff.models import Staff
from qikbiz.kernel.database import control_transaction, tenant_transaction
from tenants.context import Tenant
from tenants.control import TenantRecord
from tenants.runtime import Runtime

# These passwords are printed on the screen, so production refuses all of this.
PASSWORD = "paper lantern on the river"


class DemoRefused(Exception):
    """Demo organisations have known passwords."""


@dataclass(frozen=True)
class DemoPerson:
    name: str
    role: str

    def email_at(self, domain: str) -> str:
        return f"{self.name.split()[0].lower()}@{domain}"


@dataclass(frozen=True)
class DemoOrganisation:
    """The first person is the administrator whom the tenant is created for."""

    slug: str
    name: str
    accent: str
    people: tuple[DemoPerson, ...]
    companies: int
    contacts: int

    @property
    def domain(self) -> str:
        return f"{self.slug}.example"


@dataclass(frozen=True)
class DemoLogin:
    """A line of what `qikbiz up` prints. `app_secret` is what an authenticator app of staff is set up with."""

    name: str
    url: str
    email: str
    password: str
    role: str
    app_secret: str = ""


ORGANISATIONS = (
    DemoOrganisation(
        "acme",
        "Acme Industrial",
        "blue",
        (
            DemoPerson("Alice Arden", "administrator"),
            DemoPerson("Ben Okafor", "member"),
            DemoPerson("Bob Lindqvist", "reader"),
        ),
        companies=400,
        contacts=2_500,
    ),
    DemoOrganisation(
        "globex",
        "Globex Logistics",
        "teal",
        (DemoPerson("Mallory Quill", "administrator"),),
        companies=60,
        contacts=300,
    ),
)
STAFF = (DemoPerson("Olivia Hart", "operator"), DemoPerson("Sam Petrov", "support"))
STAFF_DOMAIN = "qikbiz.example"


def ensure_demo(settings: Settings) -> list[str]:
    """Make what is missing of the demo; returns the slugs that were made or finished now. Raises DemoRefused."""
    if settings.is_production:
        raise DemoRefused("Demo organisations have known passwords, so production doesn't get them.")
    with working_application(settings) as runtime:
        made = [organisation.slug for organisation in ORGANISATIONS if _ensure(settings, runtime, organisation)]
        if made:
            _ensure_staff(settings)
    return made


def is_demo(settings: Settings, slug: str) -> bool:
    """Whether this is one of the demo organisations of a development run, and not a customer's of the same name."""
    if settings.is_production:
        return False
    record = _record(slug)
    emails = {one.slug: one.people[0].email_at(one.domain) for one in ORGANISATIONS}
    return record is not None and record.admin_email == emails.get(slug)


def demo_logins(settings: Settings) -> list[DemoLogin]:
    """Who may sign in where; empty in production."""
    if settings.is_production:
        return []
    console = settings.origin(f"console.{settings.base_domain}")
    logins = [
        DemoLogin(
            person.name,
            settings.origin(f"{organisation.slug}.{settings.base_domain}"),
            person.email_at(organisation.domain),
            PASSWORD,
            person.role,
        )
        for organisation in ORGANISATIONS
        for person in organisation.people
    ]
    staff = [
        DemoLogin(person.name, console, email, PASSWORD, person.role, demo_secret(settings, email))
        for person, email in ((person, person.email_at(STAFF_DOMAIN)) for person in STAFF)
    ]
    return logins + staff


def _ensure(settings: Settings, runtime: Runtime, organisation: DemoOrganisation) -> bool:
    administrator = organisation.people[0]
    email = administrator.email_at(organisation.domain)
    record = _record(organisation.slug)
    if record is not None and (record.state not in ("creating", "active") or record.admin_email != email):
        return False  # a customer uses the name, or the demo was deleted
    if record is None or record.state == "creating":
        create_tenant(
            settings,
            organisation.slug,
            organisation.name,
            email,
            admin_name=administrator.name,
            accent=organisation.accent,
        )
    runtime.directory.ensure_fresh()
    runtime.directory.look()
    tenant = runtime.directory.tenant_by_slug(organisation.slug)
    assert tenant is not None
    if not _fill(tenant, organisation):
        return False
    refresh_estimates(settings, tenant.schema, ("companies", "contacts", "contact_companies", "record_changes"))
    measure_tenants(settings, tenant.slug)
    return True


def _record(slug: str) -> TenantRecord | None:
    with control_transaction() as session:
        return session.scalar(select(TenantRecord).where(TenantRecord.slug == slug))


def _fill(tenant: Tenant, organisation: DemoOrganisation) -> bool:
    """People and records in one transaction, so that a filled organisation is known by its active people."""
    with tenant_transaction(tenant, statement_timeout_ms=60_000) as session:
        if session.scalar(select(User.id).where(User.state != "invited").limit(1)) is not None:
            return False
        owners = _people(organisation)
        inventor = Inventor(organisation.slug, owners, start_of_today())
        companies = inventor.companies(organisation.companies)
        contacts = inventor.contacts(organisation.contacts, companies)
        links, changes = inventor.links(contacts, companies), inventor.changes(contacts)
        rows = {"companies": companies, "contacts": contacts, "contact_companies": links, "record_changes": changes}
        for table, made in rows.items():
            _copy(session, table, made)
    return True


def _people(organisation: DemoOrganisation) -> list[Owner]:
    hashed = hash_password(PASSWORD)
    owners = []
    for person in organisation.people:
        email = person.email_at(organisation.domain)
        owner_id = add_person(tenant_realm(), email, person.name, person.role, password_hash=hashed)
        if person.role != "reader":
            owners.append(Owner(owner_id, person.name))
    return owners


def _ensure_staff(settings: Settings) -> None:
    with control_transaction() as session:
        for person in STAFF:
            email = person.email_at(STAFF_DOMAIN)
            if session.scalar(select(Staff.id).where(Staff.email_key == email)) is None:
                hashed = hash_password(PASSWORD)
                staff_id = add_person(staff_realm(), email, person.name, person.role, password_hash=hashed)
                keep_app(staff_realm(), staff_id, demo_secret(settings, email))


def _copy(session: Session, table: str, rows: Sequence[Row]) -> None:
    connection: Connection = session.connection().connection.driver_connection  # type: ignore[assignment]
    columns = list(rows[0])
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row([_plain(column, row[column]) for column in columns])


def _plain(column: str, value: object) -> object:
    """Lists of entries are JSON, lists of texts are arrays; for an empty one only its column says which it is."""
    if column in ("emails", "phones"):
        return json.dumps(value, ensure_ascii=False)
    return value
