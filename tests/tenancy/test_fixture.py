"""The shared fixture itself, since every other folder uses it."""

from collections.abc import Callable

from sqlalchemy import text

from qikbiz.kernel.database import tenant_transaction
from tenants.context import Tenant
from tests.fixtures.people import Person
from tests.fixtures.world import World


def test_the_platform_has_two_tenants_with_their_people(world: World, working: object) -> None:
    with tenant_transaction(world.acme.tenant) as session:
        names = session.scalars(text("SELECT name FROM users WHERE state = 'active' ORDER BY name")).all()
    # Other files may have added users.
    assert {"Alice", "Ben", "Bob"} <= set(names)
    with tenant_transaction(world.globex.tenant) as session:
        assert "Mallory" in session.scalars(text("SELECT name FROM users WHERE state = 'active'")).all()


def test_a_fresh_tenant_is_served_and_empty(
    world: World, fresh_tenant: Callable[..., Tenant], add_person: Callable[..., Person], working: object
) -> None:
    tenant = fresh_tenant("Initech")
    assert tenant.state == "active"
    assert world.runtime.directory.resolve(tenant.host).tenant == tenant
    carol = add_person(tenant, "Carol", "member")
    with tenant_transaction(tenant) as session:
        assert session.scalars(text("SELECT id FROM users WHERE state = 'active'")).all() == [carol.id]
        assert session.scalars(text("SELECT count(*) FROM contacts")).one() == 0
