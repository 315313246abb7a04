"""A tenant is made once and whole, also when the process that makes it is killed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from config.settings import Settings
from provisioning.create import create_tenant, finish_tenant
from provisioning.servers import Connection, connect_as_provisioner, connect_to_control
from qikbiz.console.tenant_actions import BadTenant, reserve_tenant
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.kernel.errors import Conflict
from tenants.context import Tenant
from tenants.schema_version import HEAD
from tests.fixtures.forks import end_in_a_fork
from tests.fixtures.servers import Servers
from tests.fixtures.world import World
from tests.tenancy.catalog import facts_about

POINTS = ("reserved", "in_schema", "schema_made", "invited")


def create_in_a_fork(settings: Settings, slug: str, *, fault: str) -> int:
    return end_in_a_fork(lambda: create_tenant(settings, slug, "Hooli", "gavin@hooli.example.com"), fault=fault)


def state_of(settings: Settings, slug: str) -> str | None:
    with connect_to_control(settings) as control:
        row = control.execute("SELECT state FROM tenants WHERE slug = %s", (slug,)).fetchone()
    return str(row[0]) if row else None


def test_a_new_tenant_has_everything(world: World) -> None:
    made = create_tenant(world.settings, "vandelay", "Vandelay Industries", "art@vandelay.example.com")
    assert (made.slug, made.version, made.role) == ("vandelay", HEAD, made.schema)
    assert made.url == "http://vandelay.localhost:8000"
    assert made.invitation_url.startswith(made.url)
    assert made.seconds < 2
    with connect_to_control(world.settings) as control:
        audit = "SELECT action, subject FROM platform_audit_events WHERE tenant_id = %s"
        assert control.execute(audit, (made.id,)).fetchall() == [("tenant.created", "vandelay")]


def test_the_first_administrator_is_invited_by_mail(world: World, working: object) -> None:
    made = create_tenant(world.settings, "kramerica", "Kramerica", "cosmo@kramerica.example.com", admin_name="Cosmo")
    world.runtime.directory.look()
    tenant = world.runtime.directory.tenant_by_slug("kramerica")
    assert tenant is not None and tenant.id == made.id
    with tenant_transaction(tenant) as session:
        users = session.execute(text("SELECT name, email, roles, state FROM users")).all()
        assert [tuple(user) for user in users] == [
            ("Cosmo", "cosmo@kramerica.example.com", ["administrator"], "invited")
        ]
        assert (
            session.scalar(text("SELECT count(*) FROM user_tokens WHERE used_at IS NULL AND expires_at > now()")) == 1
        )
        assert session.scalar(text("SELECT to_address FROM mails")) == "cosmo@kramerica.example.com"


@pytest.mark.faults
@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_it_is_simply_run_again(
    world: World, make_tenant: Callable[..., Tenant], owner_connection: Connection, working: object, point: str
) -> None:
    slug = f"hooli-{point.replace('_', '-')}"
    assert create_in_a_fork(world.settings, slug, fault=f"tenant.create.{point}=kill") == -9
    assert state_of(world.settings, slug) == "creating"
    world.runtime.directory.look()
    half_made = world.runtime.directory.tenant_by_slug(slug)
    assert half_made is None or half_made.state == "creating", "nobody is served by it"
    create_tenant(world.settings, slug, "Hooli", "gavin@hooli.example.com")
    world.runtime.directory.look()
    tenant = world.runtime.directory.tenant_by_slug(slug)
    assert tenant is not None and (tenant.state, tenant.version) == ("active", HEAD)
    # Not Acme: it may have had visitors, to whose roles it gave rights.
    assert facts_about(owner_connection, tenant) == facts_about(owner_connection, make_tenant())
    with tenant_transaction(tenant) as session:
        assert session.scalars(text("SELECT email FROM users")).all() == ["gavin@hooli.example.com"]
        assert (
            session.scalar(text("SELECT count(*) FROM user_tokens WHERE used_at IS NULL AND expires_at > now()")) == 1
        )


def test_a_tenant_is_made_while_redis_is_away(world: World, servers: Servers, working: object) -> None:
    servers.valkey.kill()
    try:
        create_tenant(world.settings, "no-redis", "No Redis", "office@example.com")
    finally:
        servers.valkey.start()
    world.runtime.directory.look()
    tenant = world.runtime.directory.tenant_by_slug("no-redis")
    assert tenant is not None
    with tenant_transaction(tenant) as session:
        # The mail waits in the ledger, and the mark has the sweeper look.
        assert session.scalars(text("SELECT state FROM jobs WHERE kind = 'mail.send'")).all() == ["pending"]
    with connect_to_control(world.settings) as control:
        assert control.execute("SELECT FROM pending_work WHERE tenant_id = %s", (tenant.id,)).fetchone() is not None


def test_one_that_is_finished_is_not_made_again(world: World) -> None:
    with pytest.raises(Conflict, match="already exists; it is active"):
        create_tenant(world.settings, "acme", "Acme", "alice@acme.example.com")


def test_the_console_reserves_and_a_job_finishes(world: World, working: object) -> None:
    with control_transaction() as session:
        tenant_id = reserve_tenant(session, "dunder", "Dunder Mifflin", "michael@dunder.example.com").id
    seen: list[str] = []
    made = finish_tenant(world.settings, tenant_id, progress=lambda done, total, saying: seen.append(saying))
    assert made.slug == "dunder"
    assert seen == ["Creating the schema", "Inviting the administrator", "Activating the tenant", "Done"]
    with pytest.raises(Conflict, match="already exists; it is active"):
        finish_tenant(world.settings, tenant_id)


@pytest.mark.parametrize(
    ("name", "email", "accent", "said"),
    [
        ("", "a@example.com", None, "organisation's name"),
        ("x" * 121, "a@example.com", None, "organisation's name"),
        ("Zero\u200bwidth", "a@example.com", None, "organisation's name"),
        ("Fine", "no address", None, "email address"),
        ("Fine", "a@b", None, "email address"),
        ("Fine", "a@example.com\nBcc: b@example.com", None, "email address"),
        ("Fine", "a@example.com", "mauve-ish", "accent must be one of"),
    ],
)
def test_what_can_not_be_used_is_said(world: World, name: str, email: str, accent: str | None, said: str) -> None:
    with pytest.raises(BadTenant, match=said):
        create_tenant(world.settings, "soylent", name, email, accent=accent)
    assert state_of(world.settings, "soylent") is None


def test_two_that_look_alike_at_the_same_moment_become_one(world: World) -> None:
    slugs = ["wonka-factory", "w0nka-factory", "wonkafactory", "wonka-fact0ry"]

    def attempt(slug: str) -> str:
        try:
            return create_tenant(world.settings, slug, "Wonka", "willy@wonka.example.com").slug
        except Conflict:
            return ""

    with ThreadPoolExecutor(4) as threads:
        made = [slug for slug in threads.map(attempt, slugs) if slug]
    assert len(made) == 1


def test_the_next_cell_is_made_when_all_are_full(world: World, make_tenant: Callable[..., Tenant]) -> None:
    settings = world.settings
    with connect_to_control(settings) as control:
        known = {row[0] for row in control.execute("SELECT name FROM cells").fetchall()}
        inside = "FROM tenants WHERE cell_name = cells.name AND state <> 'closed'"
        # One that is empty can't be full; it takes no new tenant instead.
        full = f"capacity = (SELECT greatest(count(*), 1) {inside}), accepts_new = EXISTS (SELECT {inside})"
        control.execute(f"UPDATE cells SET {full}".encode())
    try:
        tenant = make_tenant("Overflow")
        assert tenant.cell not in known
        assert can_read_contacts(world, tenant)
        with connect_as_provisioner(settings) as owner:
            members = "SELECT pg_get_userbyid(member) FROM pg_auth_members WHERE roleid = %s::regrole"
            logins = {row[0] for row in owner.execute(members, (tenant.role,)).fetchall()}
        assert f"qb_{tenant.cell}" in logins
        assert not logins & {f"qb_{name}" for name in known}
    finally:
        with connect_to_control(settings) as control:
            control.execute("UPDATE cells SET capacity = 100, accepts_new = true")


def can_read_contacts(world: World, tenant: Tenant) -> bool:
    from provisioning.application import working_application

    with working_application(world.settings), tenant_transaction(tenant) as session:
        return session.scalar(text("SELECT count(*) FROM contacts")) == 0
