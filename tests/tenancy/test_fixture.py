"""The shared fixture itself, since every other folder uses it."""

from collections.abc import Callable

from sqlalchemy import text

from qikbiz.kernel.database import tenant_transaction
from tenants.context import Tenant
from tests.fixtures.tenancy import Person, Platform


def test_the_platform_has_two_tenants_with_their_people(platform: Platform, working: object) -> None:
    with tenant_transaction(platform.acme) as session:
        names = session.scalars(text("SELECT name FROM users WHERE state = 'active' ORDER BY name")).all()
    # Other files may have added users.
    assert {"Alice", "Ben", "Bob"} <= set(names)
    with tenant_transaction(platform.globex) as session:
        assert "Mallory" in session.scalars(text("SELECT name FROM users WHERE state = 'active'")).all()


def test_a_fresh_tenant_is_served_and_empty(
    platform: Platform, fresh_tenant: Callable[..., Tenant], add_person: Callable[..., Person], working: object
) -> None:
    tenant = fresh_tenant("Initech")
    assert tenant.state == "active"
    assert platform.runtime.directory.resolve(tenant.host).tenant == tenant
    carol = add_person(tenant, "Carol", "member")
    with tenant_transaction(tenant) as session:
        assert session.scalars(text("SELECT id FROM users WHERE state = 'active'")).all() == [carol.id]
        assert session.scalars(text("SELECT count(*) FROM contacts")).one() == 0
