"""Who may do what, read from the catalog's access lists and compared with what it should be."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from provisioning.hardening import close_openings, openings
from provisioning.servers import Connection, connect_as_provisioner, connect_to_control
from qikbiz.kernel.database import tenant_transaction
from tenants.context import Tenant
from tests.fixtures.world import World

READ, APPEND, ALL = {"SELECT"}, {"SELECT", "INSERT"}, {"SELECT", "INSERT", "UPDATE", "DELETE"}
LIMITED = {
    "access_events": {"SELECT", "INSERT", "DELETE"},
    "schema_version": READ,
    "audit_events": APPEND,
    "page_reads": APPEND,
}
OWNER_RIGHTS = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"}


def test_a_tenants_role_has_rows_and_nothing_more(
    world: World, fresh_tenant: Callable[..., Tenant], owner_connection: Connection
) -> None:
    tenant = fresh_tenant("Granted")
    found = owner_connection.execute(
        """SELECT c.relname, pg_get_userbyid(x.grantee), array_agg(x.privilege_type)
             FROM pg_class c, aclexplode(c.relacl) x
            WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' GROUP BY 1, 2""",
        (tenant.schema,),
    ).fetchall()
    granted = {(table, grantee): set(rights) - {"MAINTAIN"} for table, grantee, rights in found}
    tables = {table for table, _ in granted}
    expected = {(table, tenant.role): LIMITED.get(table, ALL) for table in tables}
    assert granted == expected | {(table, "qb_owner"): OWNER_RIGHTS for table in tables}


def test_only_the_owner_and_the_tenant_may_use_the_schema(
    fresh_tenant: Callable[..., Tenant], owner_connection: Connection
) -> None:
    tenant = fresh_tenant("Scoped")
    found = owner_connection.execute(
        """SELECT pg_get_userbyid(x.grantee), array_agg(x.privilege_type)
             FROM pg_namespace n, aclexplode(n.nspacl) x
            WHERE n.nspname = %s GROUP BY 1""",
        (tenant.schema,),
    ).fetchall()
    assert {grantee: set(rights) for grantee, rights in found} == {
        "qb_owner": {"CREATE", "USAGE"},
        tenant.role: {"USAGE"},
        "qb_watch": {"USAGE"},
    }


def test_a_cells_login_may_become_its_tenants_and_is_nothing_by_itself(
    world: World, owner_connection: Connection
) -> None:
    login = owner_connection.execute(
        """SELECT rolcanlogin, rolinherit, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication
             FROM pg_roles WHERE rolname = 'qb_cell_001'"""
    ).fetchone()
    assert login == (True, False, False, False, False, False, False)
    memberships = owner_connection.execute(
        """SELECT r.rolname ~ '^t_[a-z0-9]{16}$', m.admin_option, r.rolcanlogin FROM pg_auth_members m
             JOIN pg_roles r ON r.oid = m.roleid WHERE m.member = 'qb_cell_001'::regrole"""
    ).fetchall()
    # Its tenants' roles, and one that sees of jobs and mails how they went.
    assert set(memberships) == {(True, False, False), (False, False, False)}
    others = owner_connection.execute(
        """SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
            WHERE m.member = 'qb_cell_001'::regrole AND r.rolname !~ '^t_[a-z0-9]{16}$'"""
    ).fetchall()
    assert others == [("qb_watch",)]
    if owner_connection.info.server_version >= 160000:
        inherits = owner_connection.execute(
            "SELECT DISTINCT inherit_option, set_option FROM pg_auth_members WHERE member = 'qb_cell_001'::regrole"
        ).fetchall()
        assert inherits == [(False, True)]
    owned = owner_connection.execute(
        "SELECT count(*) FROM pg_shdepend WHERE refobjid = 'qb_cell_001'::regrole AND deptype = 'o'"
    ).fetchone()
    assert owned == (0,)


def test_a_tenants_role_is_a_member_of_nothing(world: World, owner_connection: Connection) -> None:
    question = "SELECT count(*) FROM pg_auth_members WHERE member::regrole::text ~ '^t_'"
    assert owner_connection.execute(question).fetchone() == (0,)


def test_nothing_dangerous_is_open_to_everybody(world: World) -> None:
    with connect_as_provisioner(world.settings) as connection:
        assert openings(connection) == []


def test_a_function_that_an_extension_brings_is_found_and_closed(world: World) -> None:
    """dblink, crosstab and their like run SQL from a string, as any role."""
    with connect_as_provisioner(world.settings, autocommit=True) as connection:
        connection.execute("CREATE FUNCTION public.dblink(text) RETURNS text LANGUAGE sql AS 'SELECT $1'")
        try:
            assert any("dblink" in statement for statement in openings(connection))
            assert close_openings(connection) == []
        finally:
            connection.execute("DROP FUNCTION public.dblink(text)")


def test_no_cell_may_enter_the_control_database(world: World) -> None:
    with connect_to_control(world.settings) as control:
        row = control.execute("SELECT has_database_privilege('qb_cell_001', 'qikbiz_control', 'CONNECT')").fetchone()
    assert row == (False,)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET action = 'nothing happened'",
        "DELETE FROM audit_events",
        "UPDATE schema_version SET version = '0000'",
        "TRUNCATE contacts",
        "CREATE TABLE mine (id int)",
        "CREATE TEMP TABLE contacts (id int)",
        "ALTER TABLE contacts ADD COLUMN mine int",
        "DROP TABLE contacts",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "DO $$ BEGIN NULL; END $$",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW v AS SELECT 1",
        "COMMENT ON TABLE contacts IS 'mine'",
        "COPY contacts TO '/tmp/contacts'",
        "LOCK TABLE schema_version IN ACCESS EXCLUSIVE MODE",
        "VACUUM",
    ],
)
def test_a_tenant_can_not(world: World, working: object, statement: str) -> None:
    with pytest.raises(DBAPIError), tenant_transaction(world.acme.tenant) as session:
        session.execute(text(statement))
