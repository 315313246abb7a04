"""A new tenant gets one prepared script. It must be what the migrations make, and what the program's models say."""

from collections.abc import Callable

import pytest
from psycopg import sql
from sqlalchemy import CheckConstraint, create_engine, inspect
from sqlalchemy.dialects import postgresql

from provisioning import create
from provisioning.render import HEAD_SCRIPT, head_script, migrations
from provisioning.schema_versions import Place, migrate_place
from provisioning.servers import Connection, connect_as_provisioner
from qikbiz.kernel.models import control_metadata, tenant_metadata
from tenants.context import Tenant
from tenants.control import sqlalchemy_url
from tenants.schema_version import HEAD, SERVED
from tests.fixtures.world import World
from tests.tenancy.catalog import facts_about

DIALECT = postgresql.dialect()


@pytest.fixture
def replayed(world: World, fresh_tenant: Callable[..., Tenant]) -> Tenant:
    """A tenant whose schema was emptied and then migrated version by version."""
    tenant = fresh_tenant("Replayed")
    with connect_as_provisioner(world.settings) as connection:
        frame = create._frame(tenant, connection.info.server_version)
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(tenant.schema)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(tenant.role)))
        connection.execute(frame.encode())
        connection.commit()
        place = Place(tenant.id, tenant.slug, tenant.schema, tenant.role)
        assert migrate_place(connection, place, migrations("tenant")) == HEAD
    return tenant


def test_the_head_script_is_what_the_migrations_render_to() -> None:
    assert HEAD_SCRIPT.read_text() == head_script(), "run `make head-script`"


def test_the_program_serves_the_newest_version_and_the_one_before() -> None:
    chain = [migration.version for migration in migrations("tenant")]
    assert chain[-1] == HEAD
    assert frozenset(chain[-2:]) == SERVED
    assert chain == sorted(chain)


def test_both_ways_give_the_same_schema_to_the_last_grant_and_comment(
    fresh_tenant: Callable[..., Tenant], replayed: Tenant, owner_connection: Connection
) -> None:
    by_script = facts_about(owner_connection, fresh_tenant("Scripted"))
    by_migrations = facts_about(owner_connection, replayed)
    assert by_script == by_migrations
    kinds = {line.partition(":")[0] for line in by_script}
    assert kinds == {
        "relation",
        "column",
        "constraint",
        "index",
        "comment",
        "schema",
        "default right",
        "policy",
        "version",
    }


def test_the_tables_are_those_of_the_models(world: World, fresh_tenant: Callable[..., Tenant]) -> None:
    tenant = fresh_tenant("Modelled")
    engine = create_engine(sqlalchemy_url(world.settings.provisioner_url or ""))
    found = inspect(engine)
    assert set(found.get_table_names(tenant.schema)) - {"schema_version"} == set(tenant_metadata().tables)
    for name, table in tenant_metadata().tables.items():
        columns = {
            c["name"]: (c["type"].compile(DIALECT), c["nullable"]) for c in found.get_columns(name, tenant.schema)
        }
        assert columns == {c.name: (c.type.compile(DIALECT), c.nullable) for c in table.columns}, name
        indexes = {i["name"] for i in found.get_indexes(name, tenant.schema) if not i.get("duplicates_constraint")}
        assert indexes == {index.name for index in table.indexes}, name
        keys = {key["name"] for key in found.get_foreign_keys(name, tenant.schema)}
        assert keys == {constraint.name for constraint in table.foreign_key_constraints}, name
        checks = {check["name"] for check in found.get_check_constraints(name, tenant.schema)}
        assert checks == {c.name for c in table.constraints if isinstance(c, CheckConstraint)}, name
    engine.dispose()


def test_the_control_tables_are_those_of_the_models(world: World) -> None:
    engine = create_engine(sqlalchemy_url(world.settings.control_url))
    found = inspect(engine)
    assert set(found.get_table_names()) - {"schema_version"} == set(control_metadata().tables)
    for name, table in control_metadata().tables.items():
        columns = {c["name"]: (c["type"].compile(DIALECT), c["nullable"]) for c in found.get_columns(name)}
        assert columns == {c.name: (c.type.compile(DIALECT), c.nullable) for c in table.columns}, name
    engine.dispose()


def test_every_table_says_whether_it_holds_personal_data(world: World, owner_connection: Connection) -> None:
    found = owner_connection.execute(
        """SELECT relname, obj_description(oid, 'pg_class') FROM pg_class
            WHERE relnamespace = %s::regnamespace AND relkind = 'r'""",
        (world.acme.tenant.schema,),
    ).fetchall()
    unsaid = [
        name for name, said in found if not (said or "").startswith(("personal: ", "technical: ", "record of acts: "))
    ]
    assert unsaid == [], "write a COMMENT ON TABLE in the migration that makes the table"
