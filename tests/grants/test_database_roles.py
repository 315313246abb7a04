"""What the database itself lets a guest do, without the checks of the program."""

from __future__ import annotations

import re

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from provisioning.servers import Connection
from qikbiz.crm.contacts.models import Contact
from qikbiz.identity.accounts.models import User
from qikbiz.jobs.models import Job
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import NoGrant, tenant_transaction
from qikbiz.trust.grants.models import Grant
from tenants.connection import open_tenant_connection
from tenants.context import WATCHER, WrongTenant, tenant_context
from tenants.control import new_id
from tests.fixtures.grants import Customer

pytestmark = pytest.mark.promise("P8")
STAFF = Actor("staff", new_id(), "Sam", "Because I can")


@pytest.mark.promise("P12")
def test_staff_without_a_grant_reach_no_row(customer: Customer) -> None:
    customer.add_contact("Lovelace")
    with acting_as(STAFF), pytest.raises(NoGrant), tenant_transaction(customer.tenant) as session:
        session.scalars(select(Contact)).all()


def test_staff_without_a_grant_can_t_write_either(customer: Customer) -> None:
    with acting_as(STAFF), pytest.raises(NoGrant), tenant_transaction(customer.tenant) as session:
        session.add(Contact(last_name="Planted", sort_name="planted"))


NOT_GIVEN = (
    "INSERT INTO contacts (id, last_name) VALUES (gen_random_uuid(), 'Planted')",
    "UPDATE contacts SET last_name = 'Changed'",
    "DELETE FROM contacts",
    "SELECT password_hash FROM users",
    "SELECT * FROM user_sessions",
    "SELECT * FROM user_tokens",
    "SELECT * FROM remember_series",
    "SELECT * FROM jobs",
    "SELECT * FROM mails",
    "UPDATE audit_events SET action = 'nothing happened'",
    "DELETE FROM audit_events",
    "SELECT * FROM exports FOR UPDATE",
    "CREATE TEMP TABLE mine (id int)",
    "RESET ROLE; SELECT 1",
)


@pytest.mark.promise("P12")
def test_a_grant_to_see_lets_the_database_give_nothing_more(customer: Customer, subtests: pytest.Subtests) -> None:
    guest = customer.guest(customer.give("see"))
    for statement in NOT_GIVEN:
        with (
            subtests.test(statement),
            pytest.raises(DBAPIError),
            tenant_transaction(customer.tenant, guest=guest) as session,
        ):
            session.execute(text(statement))


def test_a_guest_can_t_become_the_tenant_or_reach_a_neighbour(customer: Customer) -> None:
    guest, other = customer.guest(customer.give("see")), customer.world.globex.tenant
    for statement in (
        f'SET LOCAL ROLE "{customer.tenant.role}"',
        f'SET LOCAL ROLE "{other.role}"',
        f'SELECT * FROM "{other.schema}".contacts',
        "SET SESSION AUTHORIZATION postgres",
        "SELECT set_config('role', 'qb_owner', true)",
    ):
        with pytest.raises(DBAPIError), tenant_transaction(customer.tenant, guest=guest) as session:
            session.execute(text(statement))


@pytest.mark.promise("P12")
def test_the_login_dies_with_the_grant_whoever_still_holds_its_password(customer: Customer) -> None:
    grant = customer.give("see")
    guest = customer.guest(grant)
    held = open_tenant_connection(guest.dsn, "held-open")
    held.arm()
    with tenant_context(customer.tenant, guest=guest):
        assert held.execute("SELECT count(*) FROM contacts").fetchone() == (0,)
        held.rollback()
    assert customer.ann.post(f"/access/{grant.id}/end").status_code == 303
    customer.run_platform_jobs("grants.close")
    with pytest.raises(psycopg.OperationalError):
        open_tenant_connection(guest.dsn, "again")
    with pytest.raises(psycopg.Error), tenant_context(customer.tenant, guest=guest):
        held.execute("SELECT count(*) FROM contacts")
    held.close()


def test_the_login_itself_ends_with_the_grant(customer: Customer, owner_connection: Connection) -> None:
    """PostgreSQL refuses its password from then on, if no job of ours drops it."""
    grant = customer.give("see")
    known = owner_connection.execute(
        "SELECT rolvaliduntil, rolconnlimit FROM pg_roles WHERE rolname = %s", (grant.role_name,)
    ).fetchone()
    assert known is not None and known[0] == grant.ends_at and known[1] > 0


def test_a_guest_is_a_member_of_nothing_and_nobody_is_one_of_it(
    customer: Customer, owner_connection: Connection
) -> None:
    grant = customer.give("see", "change", "import", "export")
    found = owner_connection.execute(
        "SELECT count(*) FROM pg_auth_members WHERE member = %s::regrole", (grant.role_name,)
    ).fetchone()
    assert found == (0,)


GIVEN = (("see",), ("change",), ("import",), ("export",), ("see", "import", "export"))


@pytest.mark.promise("P12")
def test_what_is_given_is_what_the_table_of_scopes_says(
    customer: Customer, owner_connection: Connection, subtests: pytest.Subtests
) -> None:
    from qikbiz.transfer.exports.catalogue import EXPORTED
    from qikbiz.trust.grants.scopes import rights_of

    for scopes in GIVEN:
        with subtests.test(", ".join(scopes)):
            grant: Grant = customer.give(*scopes)
            found = owner_connection.execute(
                """SELECT c.relname, x.privilege_type FROM pg_class c, aclexplode(c.relacl) x
                    WHERE c.relnamespace = %s::regnamespace AND x.grantee = %s::regrole""",
                (customer.tenant.schema, grant.role_name),
            ).fetchall()
            expected = {
                (table, right.strip())
                for table, several in rights_of(scopes, [table.name for table in EXPORTED]).items()
                for words in several
                # Rights to single columns are the columns' own, not the table's.
                for right in re.sub(r"[A-Z]+ \([^)]*\)", "", words).split(",")
                if right.strip()
            }
            assert set(found) == expected


def test_inside_one_stays_the_guest_in_every_block(customer: Customer) -> None:
    guest = customer.guest(customer.give("see"))
    with tenant_context(customer.tenant, guest=guest), tenant_transaction(customer.tenant) as session:
        assert session.execute(text("SELECT current_user")).scalar_one() == guest.role
    with (
        tenant_context(customer.tenant, guest=guest),
        pytest.raises(WrongTenant),
        tenant_context(customer.tenant, guest=WATCHER),
    ):
        pass


def test_without_a_grant_staff_know_of_jobs_only_how_they_went(customer: Customer) -> None:
    with acting_as(STAFF), tenant_transaction(customer.tenant, guest=WATCHER) as session:
        session.execute(select(Job.id, Job.kind, Job.state)).all()
    for column in (Job.arguments, Job.result, Job.progress_note, User.name, Contact.last_name):
        with acting_as(STAFF), pytest.raises(DBAPIError), tenant_transaction(customer.tenant, guest=WATCHER) as session:
            session.execute(select(column)).all()
