"""Suspend, resume, rename, delete: each again without harm, or refused with a sentence; erased means erased."""

import getpass
from collections.abc import Callable

import pytest
from sqlalchemy import text

from config.settings import Settings
from provisioning import tenants as acts
from provisioning.create import create_tenant
from provisioning.erase_tenant import erase_due_tenants
from provisioning.fleet import list_tenants
from provisioning.servers import Connection, connect_to_control
from provisioning.tenants import delete, rename, resume, show_tenant, suspend
from provisioning.usage import measure_tenants
from qikbiz.console.slugs import NameTaken
from qikbiz.console.tenant_actions import BadTenant
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.errors import Conflict, NotFound, Unavailable
from tenants.context import Tenant
from tests.fixtures.forks import end_in_a_fork
from tests.fixtures.servers import Servers
from tests.fixtures.world import World


def state(world: World, tenant: Tenant) -> str:
    world.runtime.directory.look()
    found = world.runtime.directory.tenant(tenant.id)
    return found.state if found else "unknown"


def test_suspended_and_resumed_again_and_again(world: World, fresh_tenant: Callable[..., Tenant]) -> None:
    tenant, settings = fresh_tenant("Paused"), world.settings
    for reason in ("Unpaid", "Unpaid", "Still unpaid"):
        assert suspend(settings, tenant.slug, reason).state_reason == reason
        assert state(world, tenant) == "suspended"
    for _ in range(2):
        assert resume(settings, tenant.slug).state_reason == ""
        assert state(world, tenant) == "active"
    assert audited(settings, tenant) == ["tenant.created", "tenant.suspended", "tenant.suspended", "tenant.resumed"]


def test_the_audit_says_who_it_was(world: World, fresh_tenant: Callable[..., Tenant]) -> None:
    tenant = fresh_tenant("Audited")
    with acting_as(Actor("staff", world.olivia.id, "Olivia", request_id="abc")):
        suspend(world.settings, tenant.slug, "Unpaid")
    with connect_to_control(world.settings) as control:
        row = control.execute(
            """SELECT actor_kind, actor_id, actor_name, subject, details, request_id FROM platform_audit_events
                WHERE tenant_id = %s AND action = 'tenant.suspended'""",
            (tenant.id,),
        ).fetchone()
    assert row == ("staff", world.olivia.id, "Olivia", tenant.slug, {"reason": "Unpaid"}, "abc")


def test_a_command_is_audited_with_the_login_of_whoever_ran_it(
    world: World, fresh_tenant: Callable[..., Tenant]
) -> None:
    tenant = fresh_tenant("Commanded")
    with connect_to_control(world.settings) as control:
        question = "SELECT actor_kind, actor_name FROM platform_audit_events WHERE tenant_id = %s"
        row = control.execute(question, (tenant.id,)).fetchone()
    assert row == ("system", f"command line ({getpass.getuser()})")


def test_a_suspension_needs_a_reason(world: World, fresh_tenant: Callable[..., Tenant]) -> None:
    with pytest.raises(BadTenant, match="Enter a reason"):
        suspend(world.settings, fresh_tenant("Paused").slug, "  ")


@pytest.mark.parametrize("act", ["suspend", "resume", "rename", "delete", "show"])
def test_an_unknown_organisation_is_said(world: World, act: str) -> None:
    acts_by_name: dict[str, Callable[[], object]] = {
        "suspend": lambda: suspend(world.settings, "nobody", "x"),
        "resume": lambda: resume(world.settings, "nobody"),
        "rename": lambda: rename(world.settings, "nobody", new_slug="x-y-z", new_name=None),
        "delete": lambda: delete(world.settings, "nobody", confirmation="nobody", days=7),
        "show": lambda: show_tenant(world.settings, "nobody"),
    }
    with pytest.raises(NotFound, match="no tenant “nobody”"):
        acts_by_name[act]()


def test_renamed_it_answers_at_the_new_address_only(world: World, fresh_tenant: Callable[..., Tenant]) -> None:
    tenant = fresh_tenant("Old Name", slug="old-name")
    facts = rename(world.settings, "old-name", new_slug="Fresh-Name", new_name="  New   Name ")
    assert (facts.slug, facts.name, facts.url) == ("fresh-name", "New Name", "http://fresh-name.localhost:8000")
    world.runtime.directory.look()
    assert world.runtime.directory.resolve("old-name.localhost").surface == "unknown"
    found = world.runtime.directory.resolve("fresh-name.localhost").tenant
    assert found is not None and (found.id, found.epoch) == (tenant.id, tenant.epoch + 1)
    with pytest.raises(NameTaken):
        create_tenant(world.settings, "old-name", "Thief", "thief@example.com")
    assert rename(world.settings, "fresh-name", new_slug="fresh-name", new_name="New Name").slug == "fresh-name"
    assert audited(world.settings, tenant) == ["tenant.created", "tenant.renamed"]


def test_a_deletion_waits_and_can_be_cancelled(world: World, fresh_tenant: Callable[..., Tenant]) -> None:
    tenant, settings = fresh_tenant("Leaving"), world.settings
    with pytest.raises(BadTenant, match="--yes"):
        delete(settings, tenant.slug, confirmation="leaving", days=7)
    facts = delete(settings, tenant.slug, confirmation=tenant.slug, days=7)
    assert facts.state == "closing" and facts.delete_after is not None
    assert delete(settings, tenant.slug, confirmation=tenant.slug, days=7).delete_after == facts.delete_after
    assert state(world, tenant) == "closing"
    assert tenant.slug not in erase_due_tenants(settings)
    with pytest.raises(Conflict, match="is being deleted; resume it first"):
        suspend(settings, tenant.slug, "x")
    assert resume(settings, tenant.slug).delete_after is None
    assert state(world, tenant) == "active"


def test_erased_means_erased(
    world: World, fresh_tenant: Callable[..., Tenant], owner_connection: Connection, servers: Servers
) -> None:
    tenant, settings = fresh_tenant("Gone Ltd"), world.settings
    file = settings.files / "exports" / str(tenant.id) / "a" / "export.zip"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"rows")
    with world.runtime.redis.client() as client:
        for number in range(1_200):
            client.set(world.runtime.redis.tenant_key(tenant.id, "x", str(number)), "1")
        client.set(world.runtime.redis.tenant_key(world.acme.tenant.id, "x"), "1")
    delete(settings, tenant.slug, confirmation=tenant.slug, days=0)
    assert erase_due_tenants(settings) == [tenant.slug]
    assert what_is_left(settings, tenant, owner_connection) == []
    with world.runtime.redis.client() as client:
        assert not list(client.scan_iter(match=world.runtime.redis.tenant_key(tenant.id, "*")))
        assert client.get(world.runtime.redis.tenant_key(world.acme.tenant.id, "x")) == "1"
    assert not (settings.files / "exports" / str(tenant.id)).exists()
    assert state(world, tenant) == "closed"
    facts = show_tenant(settings, tenant.slug)
    assert (facts.name, facts.users, facts.bytes) == (tenant.slug, 0, 0)
    with pytest.raises(NameTaken):
        create_tenant(settings, tenant.slug.replace("-org", "-0rg"), "Again", "a@example.com")
    assert erase_due_tenants(settings) == []


@pytest.mark.faults
@pytest.mark.parametrize("point", ["begun", "dropped", "forgotten"])
def test_an_erasure_that_was_killed_is_finished_by_the_next_round(
    world: World, fresh_tenant: Callable[..., Tenant], owner_connection: Connection, point: str
) -> None:
    tenant, settings = fresh_tenant("Gone Too"), world.settings
    delete(settings, tenant.slug, confirmation=tenant.slug, days=0)
    assert end_in_a_fork(lambda: erase_due_tenants(settings), fault=f"tenant.erase.{point}=kill") == -9
    assert state(world, tenant) == "closed"
    assert erase_due_tenants(settings) == [tenant.slug]
    assert what_is_left(settings, tenant, owner_connection) == []


def test_an_erasure_without_redis_waits_for_it(
    world: World, fresh_tenant: Callable[..., Tenant], owner_connection: Connection, servers: Servers
) -> None:
    tenant, settings = fresh_tenant("Gone Later"), world.settings
    servers.valkey.kill()
    try:
        with pytest.raises(Unavailable, match="Redis"):
            delete(settings, tenant.slug, confirmation=tenant.slug, days=0, now=True)
        assert erase_due_tenants(settings) == []
    finally:
        servers.valkey.start()
    assert erase_due_tenants(settings) == [tenant.slug]
    assert what_is_left(settings, tenant, owner_connection) == []


def test_deleted_at_once_by_the_command(
    world: World, fresh_tenant: Callable[..., Tenant], owner_connection: Connection
) -> None:
    tenant, settings = fresh_tenant("Now"), world.settings
    for _ in range(2):
        assert delete(settings, tenant.slug, confirmation=tenant.slug, days=7, now=True).state == "closed"
    assert what_is_left(settings, tenant, owner_connection) == []


def test_figures_are_measured_from_outside(world: World, fresh_tenant: Callable[..., Tenant], working: object) -> None:
    tenant = fresh_tenant("Measured")
    with tenant_transaction(tenant) as session:
        session.execute(
            text("INSERT INTO contacts (id, last_name) SELECT gen_random_uuid(), 'x' FROM generate_series(1, 40)")
        )
        session.execute(text("UPDATE users SET last_seen_at = '2026-01-02T03:04:05Z'"))
    assert measure_tenants(world.settings) >= 3
    facts = next(facts for facts in list_tenants(world.settings) if facts.slug == tenant.slug)
    assert (facts.users, facts.records) == (1, 40)
    assert facts.bytes > 100_000
    assert facts.last_seen is not None and facts.last_seen.year == 2026


def test_the_list_leaves_out_what_was_erased(world: World, fresh_tenant: Callable[..., Tenant]) -> None:
    tenant = fresh_tenant("Unlisted")
    delete(world.settings, tenant.slug, confirmation=tenant.slug, days=0, now=True)
    assert tenant.slug not in {facts.slug for facts in list_tenants(world.settings)}
    assert tenant.slug in {facts.slug for facts in list_tenants(world.settings, everything=True)}


def test_a_command_works_for_tenants_that_are_there(world: World) -> None:
    assert acts.tenant_named(world.runtime, " ACME ").id == world.acme.tenant.id
    with pytest.raises(NotFound):
        acts.tenant_named(world.runtime, "nobody")


def audited(settings: Settings, tenant: Tenant) -> list[str]:
    with connect_to_control(settings) as control:
        question = "SELECT action FROM platform_audit_events WHERE tenant_id = %s ORDER BY id"
        return [row[0] for row in control.execute(question, (tenant.id,)).fetchall()]


def what_is_left(settings: Settings, tenant: Tenant, owner: Connection) -> list[object]:
    """Schema, role, default rights, mails' addresses, marks: all that still names the tenant."""
    found: list[object] = owner.execute(
        """SELECT nspname FROM pg_namespace WHERE nspname = %(name)s
           UNION ALL SELECT rolname FROM pg_roles WHERE rolname = %(name)s""",
        {"name": tenant.schema},
    ).fetchall()
    with connect_to_control(settings) as control:
        for table in ("pending_work", "domains", "tenant_migrations"):
            found += control.execute(f"SELECT 1 FROM {table} WHERE tenant_id = %s".encode(), (tenant.id,)).fetchall()
        wanted = "SELECT admin_email FROM tenants WHERE id = %s AND admin_email <> ''"
        found += control.execute(wanted, (tenant.id,)).fetchall()
    return found
