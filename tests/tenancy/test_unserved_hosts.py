"""The page at an address that can't be served: friendly, one for each reason, and without a customer's name."""

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import event

from provisioning import tenants as acts
from provisioning.servers import connect_to_control
from qikbiz.app.request_pipeline import QikBiz
from tenants.context import Tenant
from tests.fixtures.web import Browser
from tests.fixtures.world import World

BrowserAt = Callable[[str], Browser]
SetControl = Callable[[Tenant, str, str], None]


@pytest.fixture
def set_control(world: World, app: QikBiz) -> Iterator[SetControl]:
    """A function that writes a column of the tenant's row; put back, or a migration would stumble over it."""
    written: list[tuple[Tenant, str, str]] = []

    def write(tenant: Tenant, column: str, value: str) -> None:
        with connect_to_control(world.settings) as control:
            control.execute(f"UPDATE tenants SET {column} = %s WHERE id = %s".encode(), (value, tenant.id))
            control.execute(
                """WITH raised AS (UPDATE directory_state SET version = version + 1 RETURNING version)
                   UPDATE tenants SET directory_version = raised.version FROM raised WHERE id = %s""",
                (tenant.id,),
            )
        app.extensions["qikbiz"].directory.look()
        written.append((tenant, column, getattr(tenant, column)))

    yield write
    for tenant, column, before in list(written):
        write(tenant, column, before)


@pytest.mark.parametrize(
    "host", ["nobody.localhost", "deep.acme.localhost", "acme.example.com", "127.0.0.1", "[::1]", "acme_.localhost"]
)
@pytest.mark.parametrize("path", ["/", "/login", "/contacts", "/no-such-page"])
def test_an_unknown_address_is_a_friendly_404_that_names_no_tenant(browser_at: BrowserAt, host: str, path: str) -> None:
    page = browser_at(host).get(path)
    assert page.status_code == 404
    assert "Acme" not in page.text and "Globex" not in page.text
    assert "Reference" in page.text or "reference" in page.text


def test_a_suspended_organisation_is_served(
    world: World, app: QikBiz, fresh_tenant: Callable[..., Tenant], browser_at: BrowserAt
) -> None:
    tenant = fresh_tenant("Suspended Ltd")
    acts.suspend(world.settings, tenant.slug, "The invoice of May is open")
    app.extensions["qikbiz"].directory.look()
    page = browser_at(tenant.host).get("/login")
    assert page.status_code == 200 and "The invoice of May is open" not in page.text, "the reason is its people's"
    assert browser_at(tenant.host).get("/contacts").location.startswith("/login")


def test_an_organisation_that_is_closed_has_its_page(
    world: World, app: QikBiz, fresh_tenant: Callable[..., Tenant], browser_at: BrowserAt
) -> None:
    tenant = fresh_tenant("Closed Ltd")
    for now in (False, True):
        acts.delete(world.settings, tenant.slug, confirmation=tenant.slug, days=7, now=now)
        app.extensions["qikbiz"].directory.look()
        page = browser_at(tenant.host).get("/login")
        assert page.status_code == 410
        assert ("Closed Ltd" in page.text) != now, "erased is the name as well"


def test_one_that_is_still_being_made_is_not_there_yet(
    set_control: SetControl, fresh_tenant: Callable[..., Tenant], browser_at: BrowserAt
) -> None:
    tenant = fresh_tenant("Unfinished Ltd")
    set_control(tenant, "state", "creating")
    assert browser_at(tenant.host).get("/login").status_code == 404


@pytest.mark.parametrize("version", ["0000", "9999", ""])
def test_at_a_version_that_can_not_be_served_there_is_a_maintenance_page_and_the_others_work(
    world: World,
    set_control: SetControl,
    fresh_tenant: Callable[..., Tenant],
    browser_at: BrowserAt,
    version: str,
) -> None:
    tenant = fresh_tenant("Behind Ltd")
    set_control(tenant, "version", version)
    page = browser_at(tenant.host).get("/login")
    assert page.status_code == 503
    assert "Updating" in page.text
    assert browser_at(world.acme.tenant.host).get("/login").status_code == 200


def test_the_version_before_is_served(
    set_control: SetControl, fresh_tenant: Callable[..., Tenant], browser_at: BrowserAt
) -> None:
    tenant = fresh_tenant("Before Ltd")
    set_control(tenant, "version", "0001")
    assert browser_at(tenant.host).get("/login").status_code == 200


@pytest.mark.parametrize("host", ["ACME.localhost", "acme.localhost.", "acme.LOCALHOST.:8000"])
def test_case_port_and_a_trailing_dot_lead_to_the_same_door(browser_at: BrowserAt, host: str) -> None:
    assert browser_at(host).get("/login").status_code == 200


@pytest.mark.parametrize("path", ["/", "/contacts", "/no-such-page"])
def test_a_warm_page_asks_the_control_database_nothing(
    app: QikBiz, client_for: Callable[[str], Browser], path: str
) -> None:
    alice = client_for("alice")
    alice.get(path)
    asked: list[str] = []
    by_request = threading.get_ident()

    def note(*call: object) -> None:
        # The directory's watcher looks a few times a second, in a thread of its own, outside of any request.
        if threading.get_ident() == by_request:
            asked.append(str(call[2]))

    control = app.extensions["qikbiz"].control
    event.listen(control, "before_cursor_execute", note)
    try:
        alice.get(path)
    finally:
        event.remove(control, "before_cursor_execute", note)
    assert asked == []
