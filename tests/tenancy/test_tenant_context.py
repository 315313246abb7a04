"""Entering a tenant: nothing works without it, nothing works for two, nothing is left on a connection."""

import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from config.settings import Settings
from provisioning.servers import connect_to_control
from qikbiz.crm.contacts.models import Contact
from qikbiz.kernel.database import db, tenant_transaction
from tenants.cells import Cells, UnknownCell
from tenants.context import NoTenantEntered, Tenant, WrongTenant, current_tenant, tenant_context
from tenants.runtime import CELL_DSN, Runtime
from tests.fixtures.world import World
from tests.tenancy.twin_tenants import IDS, make_twins


def cell_dsn(settings: Settings, name: str) -> str:
    with connect_to_control(settings) as control:
        row = control.execute("SELECT dsn FROM cells WHERE name = %s", (name,)).fetchone()
    assert row is not None
    return settings.keys.open(CELL_DSN, row[0], bound_to=name).plaintext.decode()


def test_without_a_tenant_there_are_no_rows_but_an_error(working: object) -> None:
    with pytest.raises(NoTenantEntered):
        current_tenant()
    with pytest.raises(NoTenantEntered):
        db.session.execute(text("SELECT 1"))
    db.session.remove()


def test_a_pooled_connection_without_a_tenant_does_nothing(world: World) -> None:
    engine = world.runtime.cells.engine(world.acme.tenant.cell)
    with pytest.raises(NoTenantEntered), engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def test_the_cells_login_by_itself_has_no_rights(world: World) -> None:
    with psycopg.connect(cell_dsn(world.settings, world.acme.tenant.cell)) as raw:
        for question in (
            f"SELECT * FROM {world.acme.tenant.schema}.contacts",
            f"INSERT INTO {world.acme.tenant.schema}.contacts (id) VALUES (gen_random_uuid())",
            "SELECT * FROM pg_namespace",
            "CREATE TABLE public.mine (id int)",
            "SELECT set_config('role', 'qb_owner', false)",
            "SET ROLE qb_owner",
            "SET ROLE postgres",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                raw.execute(question.encode())
            raw.rollback()


def test_the_cells_password_is_sealed_and_bound_to_its_cell(world: World) -> None:
    from config.keys import SealBroken

    with connect_to_control(world.settings) as control:
        row = control.execute("SELECT login, dsn FROM cells WHERE name = 'cell_001'").fetchone()
    assert row is not None and row[0] not in row[1]
    with pytest.raises(SealBroken):
        world.settings.keys.open(CELL_DSN, row[1], bound_to="cell_002")


def test_a_session_made_for_one_tenant_refuses_another(world: World, working: object) -> None:
    with tenant_context(world.acme.tenant):
        session = db.session()
        session.execute(text("SELECT 1"))
        session.commit()
    with tenant_context(world.globex.tenant), pytest.raises(WrongTenant):
        session.execute(text("SELECT 1"))
    session.close()
    with tenant_context(world.acme.tenant):
        db.session.remove()


def test_the_identity_map_never_hands_out_the_neighbours_object(
    world: World, working: object, make_tenant: Callable[..., Tenant]
) -> None:
    twins = make_twins(make_tenant)
    with tenant_transaction(twins.left) as session:
        assert session.get_one(Contact, IDS[0]).last_name == "canary-of-left"
    with tenant_transaction(twins.right) as session:
        assert session.get_one(Contact, IDS[0]).last_name == "canary-of-right"
    with tenant_context(twins.left):
        kept = db.session()
        left = kept.get_one(Contact, IDS[0])
        kept.commit()
    with tenant_context(twins.right):
        assert db.session() is not kept
        assert db.session.get_one(Contact, IDS[0]).last_name == "canary-of-right"
        with pytest.raises(WrongTenant):
            kept.get(Contact, IDS[1])
        db.session.remove()
    assert left.last_name == "canary-of-left"


def test_a_second_tenant_can_not_be_entered_inside_the_first(world: World) -> None:
    with tenant_context(world.acme.tenant):
        with pytest.raises(WrongTenant), tenant_context(world.globex.tenant):
            pass
        with tenant_context(world.acme.tenant):
            assert current_tenant() is world.acme.tenant


def test_a_thread_knows_no_tenant_unless_it_is_handed_the_context(world: World) -> None:
    found: list[object] = []

    def look() -> None:
        try:
            found.append(current_tenant())
        except NoTenantEntered as error:
            found.append(type(error))

    with tenant_context(world.acme.tenant):
        for target in (look, partial(copy_context().run, look)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert found == [NoTenantEntered, world.acme.tenant]


def test_a_tenant_connection_has_no_autocommit_and_no_pipeline(world: World) -> None:
    connection = world.runtime.cells.connect(world.acme.tenant.cell)
    with pytest.raises(psycopg.NotSupportedError):
        connection.autocommit = True
    with pytest.raises(psycopg.NotSupportedError):
        connection.pipeline()
    with tenant_context(world.acme.tenant), pytest.raises(psycopg.errors.SyntaxError, match="multiple commands"):
        connection.execute("SELECT 1; SELECT 2")
    connection.close()


@pytest.mark.parametrize("begin", ["transaction", "two-phase"])
def test_a_transaction_begun_past_the_product_is_nobodys(world: World, begin: str) -> None:
    """psycopg's own ways to begin know nothing of tenants: they end at the login, which has no rights."""
    with tenant_context(world.acme.tenant), world.runtime.cells.connect(world.acme.tenant.cell) as connection:
        if begin == "transaction":
            with pytest.raises(psycopg.errors.UndefinedTable), connection.transaction():
                connection.execute("SELECT * FROM contacts")
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(f"SELECT * FROM {world.acme.tenant.schema}.contacts".encode())
        else:
            connection.tpc_begin("x")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {world.acme.tenant.schema}.contacts".encode())
            connection.tpc_rollback()


def test_an_engine_refuses_autocommit(world: World) -> None:
    engine = world.runtime.cells.engine(world.acme.tenant.cell)
    with tenant_context(world.acme.tenant), engine.connect() as connection, pytest.raises(psycopg.NotSupportedError):
        connection.execution_options(isolation_level="AUTOCOMMIT")


@pytest.mark.parametrize("name", [None, "a_name"])
def test_rows_are_streamed_and_copied_inside_the_tenant_only(world: World, name: str | None) -> None:
    with world.runtime.cells.connect(world.acme.tenant.cell) as connection:
        with pytest.raises(NoTenantEntered), connection.cursor() as cursor, cursor.copy("COPY users TO STDOUT") as copy:
            list(copy)
        connection.rollback()
        with tenant_context(world.acme.tenant), connection.cursor(name) if name else connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            assert cursor.fetchall() == [(world.acme.tenant.role,)]
        with (
            tenant_context(world.acme.tenant),
            connection.cursor() as cursor,
            cursor.copy("COPY users TO STDOUT") as copy,
        ):
            copied = b"".join(copy)
        assert b"alice@acme" in copied and b"mallory" not in copied
        with (
            pytest.raises(psycopg.errors.SyntaxError),
            tenant_context(world.acme.tenant),
            connection.cursor() as cursor,
        ):
            cursor.copy("COPY users TO STDOUT; RESET ROLE").__enter__()


def test_a_statement_that_takes_too_long_is_ended(world: World, working: object) -> None:
    with (
        pytest.raises(DBAPIError, match="statement timeout"),
        tenant_transaction(world.acme.tenant, statement_timeout_ms=20) as work,
    ):
        work.execute(text("SELECT pg_sleep(3)"))


def test_a_connection_is_replaced_after_it_has_seen_many_tenants(
    world: World, make_tenant: Callable[..., Tenant]
) -> None:
    cells = Cells(lambda name: cell_dsn(world.settings, name), pool_size=1, max_overflow=0, max_tenants=2)
    backends = []
    for tenant in (world.acme.tenant, world.globex.tenant, world.acme.tenant, world.acme.tenant):
        with tenant_context(tenant), cells.engine("cell_001").connect() as connection:
            backends.append(connection.scalar(text("SELECT pg_backend_pid()")))
    assert backends[0] == backends[1] != backends[2] == backends[3]
    cells.dispose()


def test_an_unknown_cell_is_said(world: World) -> None:
    with pytest.raises(UnknownCell):
        world.runtime.cells.engine("cell_999")


@pytest.mark.parametrize(
    "name", ["", "acme", "t_short", 't_abcdefghijkl"; DROP', "T_ABCDEFGHIJKLM", "t_abcdefghijklmnopqrstuvw"]
)
def test_a_tenant_has_opaque_names_or_does_not_exist(world: World, name: str) -> None:
    acme = world.acme.tenant
    with pytest.raises(ValueError, match="is not the name"):
        Tenant(acme.id, "acme", "Acme", "active", schema=name, role=acme.role, cell=acme.cell)


def test_a_forked_process_has_connections_of_its_own(world: World) -> None:
    runtime = Runtime(world.settings)
    before = runtime.cells
    runtime.after_fork()
    assert runtime.cells is not before
    runtime.dispose()
