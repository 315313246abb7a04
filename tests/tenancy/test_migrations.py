"""Migrating many tenants: each wholly at one version, one's failure stops no other, killed and continued."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from config.settings import Settings
from provisioning import create
from provisioning.migrate import migrate_everything
from provisioning.render import BadMigration, Migration, migrations, render_folder
from provisioning.schema_versions import MigrationFailed, Place, lock_key, migrate_place
from provisioning.servers import Connection, connect_as_provisioner, connect_to_control
from qikbiz.kernel.database import tenant_transaction
from tenants.context import Tenant
from tenants.schema_version import HEAD, is_served
from tests.fixtures.forks import end_in_a_fork
from tests.fixtures.world import World
from tests.tenancy.catalog import facts_about

CITY = Migration("0003", ("CREATE INDEX CONCURRENTLY ix_contacts_city ON contacts (city)",))


@pytest.fixture
def old_tenant(world: World, fresh_tenant: Callable[..., Tenant]) -> Callable[[], Tenant]:
    """A function that makes a tenant as the first version of the program left it."""

    def make() -> Tenant:
        tenant = fresh_tenant("Old")
        with connect_as_provisioner(world.settings) as owner:
            owner.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(tenant.schema)))
            owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(tenant.role)))
            owner.execute(create._frame(tenant, owner.info.server_version).encode())
            owner.commit()
            migrate_place(owner, place_of(tenant), migrations("tenant")[:1])
        with connect_to_control(world.settings) as control:
            control.execute("UPDATE tenants SET version = '0001' WHERE id = %s", (tenant.id,))
        return tenant

    return make


def place_of(tenant: Tenant) -> Place:
    return Place(tenant.id, tenant.slug, tenant.schema, tenant.role)


def versions(settings: Settings, tenant: Tenant) -> tuple[str, str]:
    """The version that the control database records, and that in the schema."""
    with connect_to_control(settings) as control, connect_as_provisioner(settings) as owner:
        believed = control.execute("SELECT version FROM tenants WHERE id = %s", (tenant.id,)).fetchone()
        question = sql.SQL("SELECT max(version) FROM {}").format(sql.Identifier(tenant.schema, "schema_version"))
        stands = owner.execute(question).fetchone()
    assert believed is not None and stands is not None
    return believed[0], stands[0]


def test_old_tenants_are_brought_to_the_newest_version(world: World, old_tenant: Callable[[], Tenant]) -> None:
    tenants = [old_tenant() for _ in range(3)]
    seen: list[tuple[int, int, str]] = []
    report = migrate_everything(world.settings, jobs=2, progress=lambda *step: seen.append(step))
    assert (report.head, report.done, report.failed) == (HEAD, 3, [])
    assert sorted(slug for _, _, slug in seen) == sorted(tenant.slug for tenant in tenants)
    assert [done for done, _, _ in seen] == [1, 2, 3]
    for tenant in tenants:
        assert versions(world.settings, tenant) == (HEAD, HEAD)
    assert migrate_everything(world.settings).done == 0


def test_the_directory_hears_of_the_new_version(world: World, old_tenant: Callable[[], Tenant]) -> None:
    tenant = old_tenant()
    migrate_everything(world.settings)
    world.runtime.directory.look()
    found = world.runtime.directory.tenant(tenant.id)
    assert found is not None and found.version == HEAD


def test_one_that_fails_stops_nobody_is_named_with_its_reason_and_continues_later(
    world: World, old_tenant: Callable[[], Tenant], owner_connection: Connection
) -> None:
    first, broken, last = old_tenant(), old_tenant(), old_tenant()
    rename_table(owner_connection, broken, "mails", "mails_by_hand")
    report = migrate_everything(world.settings)
    assert (report.done, report.failed) == (2, [(broken.slug, 'relation "mails" does not exist')])
    assert versions(world.settings, broken) == ("0001", "0001")
    assert not any("comment" in line for line in facts_about(owner_connection, broken)), "nothing half done"
    for tenant in (first, last):
        assert versions(world.settings, tenant) == (HEAD, HEAD)
    with connect_to_control(world.settings) as control:
        row = control.execute(
            "SELECT state, error FROM tenant_migrations WHERE tenant_id = %s", (broken.id,)
        ).fetchone()
        assert row == ("failed", 'relation "mails" does not exist')
    rename_table(owner_connection, broken, "mails_by_hand", "mails")
    assert migrate_everything(world.settings).done == 1
    assert versions(world.settings, broken) == (HEAD, HEAD)


def test_a_table_made_by_hand_in_the_way_is_reported(
    world: World, fresh_tenant: Callable[..., Tenant], owner_connection: Connection
) -> None:
    tenant = fresh_tenant("By hand")
    in_the_way = Migration("0003", ("CREATE TABLE deals (id uuid)", "CREATE TABLE pipelines (id uuid)"))
    by_hand = sql.SQL("CREATE TABLE {} (id int)").format(sql.Identifier(tenant.schema, "pipelines"))
    owner_connection.execute(by_hand)
    refused = pytest.raises(MigrationFailed, match='relation "pipelines" already exists')
    with connect_as_provisioner(world.settings) as owner, refused:
        migrate_place(owner, place_of(tenant), (*migrations("tenant"), in_the_way))
    found = owner_connection.execute("SELECT to_regclass(%s)", (f"{tenant.schema}.deals",)).fetchone()
    assert found == (None,), "the first statement is taken back with the second"


@pytest.mark.faults
@pytest.mark.parametrize("point", ["in_version", "before_mirror"])
def test_killed_half_way_the_next_run_goes_on(
    world: World,
    old_tenant: Callable[[], Tenant],
    make_tenant: Callable[..., Tenant],
    owner_connection: Connection,
    point: str,
) -> None:
    tenants = [old_tenant() for _ in range(2)]
    assert end_in_a_fork(lambda: migrate_everything(world.settings), fault=f"migrate.{point}=kill") == -9
    for tenant in tenants:
        assert all(is_served(version) for version in versions(world.settings, tenant)), "they work meanwhile"
    report = migrate_everything(world.settings)
    assert (report.done, report.failed) == (2, [])
    # Not Acme: it may have had visitors, to whose roles it gave rights.
    whole = facts_about(owner_connection, make_tenant())
    for tenant in tenants:
        assert versions(world.settings, tenant) == (HEAD, HEAD)
        assert facts_about(owner_connection, tenant) == whole


def test_tenants_at_both_served_versions_work_side_by_side(
    world: World, old_tenant: Callable[[], Tenant], working: object
) -> None:
    tenant = old_tenant()
    for each in (world.acme.tenant, tenant, world.acme.tenant, tenant):
        with tenant_transaction(each) as session:
            session.execute(text("SELECT id, last_name FROM contacts"))
    migrate_everything(world.settings, tenant=tenant.slug)
    with tenant_transaction(tenant) as session:
        session.execute(text("SELECT id, last_name FROM contacts"))


def test_two_runs_at_once_share_the_work(world: World, old_tenant: Callable[[], Tenant]) -> None:
    tenants = [old_tenant() for _ in range(4)]
    with ThreadPoolExecutor(2) as threads:
        reports = list(threads.map(lambda _: migrate_everything(world.settings, jobs=2), range(2)))
    assert sum(report.done for report in reports) == 4
    assert [report.failed for report in reports] == [[], []]
    for tenant in tenants:
        assert versions(world.settings, tenant) == (HEAD, HEAD)


def test_one_whose_tables_are_busy_is_left_for_the_next_run(
    world: World, old_tenant: Callable[[], Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = old_tenant()
    monkeypatch.setattr("provisioning.schema_versions.LOCK_TIMEOUT", "50ms")
    with connect_as_provisioner(world.settings) as busy:
        busy.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(tenant.schema, "users")))
        report = migrate_everything(world.settings)
    assert report.failed == [(tenant.slug, "a lock was not available in time; run the migration again.")]
    assert migrate_everything(world.settings).done == 1


def test_one_that_is_being_changed_by_somebody_else_is_not_touched(
    world: World, old_tenant: Callable[[], Tenant]
) -> None:
    tenant = old_tenant()
    with connect_as_provisioner(world.settings) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key(tenant.id),))
        report = migrate_everything(world.settings)
    assert report.failed == [(tenant.slug, "another run is migrating it right now.")]
    assert migrate_everything(world.settings).done == 1


def test_too_many_failures_stop_the_run(
    world: World, old_tenant: Callable[[], Tenant], owner_connection: Connection
) -> None:
    tenants = [old_tenant() for _ in range(3)]
    for tenant in tenants:
        rename_table(owner_connection, tenant, "mails", "mails_by_hand")
    report = migrate_everything(world.settings, jobs=1, stop_after_failures=1)
    assert len(report.failed) == 1
    assert report.done == 0
    for tenant in tenants:
        rename_table(owner_connection, tenant, "mails_by_hand", "mails")
    assert migrate_everything(world.settings).done == 3


def test_an_unknown_organisation_is_said(world: World) -> None:
    with pytest.raises(MigrationFailed, match="no tenant 'nobody'"):
        migrate_everything(world.settings, tenant="nobody")


def test_an_index_is_built_concurrently_and_a_broken_one_again(
    world: World, fresh_tenant: Callable[..., Tenant], owner_connection: Connection
) -> None:
    tenant = fresh_tenant("Indexed")
    chain = (*migrations("tenant"), CITY)
    index = f"{tenant.schema}.ix_contacts_city"
    with connect_as_provisioner(world.settings) as owner:
        assert migrate_place(owner, place_of(tenant), chain) == "0003"
        made = owner_connection.execute("SELECT %s::regclass::oid", (index,)).fetchone()
        # As a build leaves it that was killed: there, but invalid, and the version not written.
        owner_connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", (index,))
        forget = sql.SQL("DELETE FROM {} WHERE version = '0003'").format(
            sql.Identifier(tenant.schema, "schema_version")
        )
        owner_connection.execute(forget)
        migrate_place(owner, place_of(tenant), chain)
    row = owner_connection.execute(
        "SELECT indexrelid, indisvalid, pg_get_userbyid(relowner) FROM pg_index JOIN pg_class ON oid = indexrelid"
        " WHERE indexrelid = %s::regclass",
        (index,),
    ).fetchone()
    assert row is not None and row[1:] == (True, "qb_owner")
    assert made is not None and row[0] != made[0]


def test_a_script_that_was_changed_after_it_ran_is_refused(world: World, fresh_tenant: Callable[..., Tenant]) -> None:
    tenant = fresh_tenant("Changed")
    first, *rest = migrations("tenant")
    rewritten = Migration(first.version, (*first.statements, "SELECT 1"))
    refused = pytest.raises(MigrationFailed, match="made from another script")
    with connect_as_provisioner(world.settings) as owner, refused:
        migrate_place(owner, place_of(tenant), (rewritten, *rest))


SCRIPT = """
from alembic import op
revision = "{revision}"
down_revision = {before}
def upgrade():
    for statement in {statements}:
        op.execute(statement)
"""


@pytest.mark.parametrize(
    ("scripts", "said"),
    [
        ({"0001": (None, [])}, "does nothing"),
        ({"0001": (None, ["CREATE TABLE a (b int)", CITY.statements[0]])}, "mixes concurrent steps"),
        ({"0001": (None, ["DROP INDEX CONCURRENTLY a"])}, "write a concurrent step as"),
        ({"0001": (None, ["SELECT 1"]), "0002": (None, ["SELECT 2"])}, "2 newest versions"),
    ],
)
def test_a_script_that_can_not_be_run_safely_is_refused(
    tmp_path: Path, scripts: dict[str, tuple[str | None, list[str]]], said: str
) -> None:
    for revision, (before, statements) in scripts.items():
        filled = SCRIPT.format(revision=revision, before=before, statements=statements)
        (tmp_path / f"{revision}_script.py").write_text(filled)
    with pytest.raises(BadMigration, match=said):
        render_folder(tmp_path)


def rename_table(owner: psycopg.Connection[tuple[object, ...]], tenant: Tenant, before: str, after: str) -> None:
    command = sql.SQL("ALTER TABLE {} RENAME TO {}")
    owner.execute(command.format(sql.Identifier(tenant.schema, before), sql.Identifier(after)))
