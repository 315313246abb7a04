"""SQL text with an attacker's words in it, run as Alice's organisation: it reaches that organisation and no other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue

from provisioning.servers import Connection, connect_as_provisioner
from qikbiz.kernel.database import connect_database, runtime, tenant_transaction
from tenants.context import Tenant
from tenants.runtime import Runtime
from tests.fixtures.world import World
from tests.tenancy.sql_fragments import FRAGMENTS, NUMBERS_INTO_NAMES
from tests.tenancy.twin_tenants import Twins, checksum, make_twins


def open_door() -> ResponseReturnValue:
    """Everything that must never be written: a value pasted into SQL. Directory, session and pool are the product's."""
    tenant = runtime().directory.resolve(request.headers["Host"]).tenant
    assert tenant is not None
    question = f"SELECT id::text, last_name FROM contacts WHERE last_name = '{request.args['name']}'"
    with tenant_transaction(tenant) as session:
        connection = session.connection(execution_options={"no_parameters": "bare" in request.args})
        return jsonify([list(row) for row in connection.exec_driver_sql(question)])


@dataclass(frozen=True)
class Door:
    app: Flask
    twins: Twins

    def ask(self, tenant: Tenant, name: str, **arguments: str) -> tuple[int, str]:
        client: FlaskClient = self.app.test_client()
        answer = client.get("/open-door", base_url=f"http://{tenant.host}", query_string={"name": name, **arguments})
        return answer.status_code, answer.get_data(as_text=True)


@pytest.fixture(scope="module")
def app(world: World) -> Iterator[Flask]:
    made = Flask(__name__)
    started = Runtime(world.settings, process="open-door")
    connect_database(made, started)
    made.add_url_rule("/open-door", view_func=open_door)
    yield made
    started.dispose()


@pytest.fixture(scope="module")
def door(app: Flask, make_tenant: Callable[..., Tenant]) -> Door:
    with app.app_context():
        return Door(app, make_twins(make_tenant))


@pytest.fixture(scope="module")
def owner(world: World) -> Iterator[Connection]:
    with connect_as_provisioner(world.settings, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def untouched(door: Door, owner: Connection) -> str:
    """The other tenant before the first fragment."""
    return checksum(owner, door.twins.right)


def as_written(fragment: str, neighbour: Tenant) -> str:
    return fragment.replace("{schema}", neighbour.schema).replace("{role}", neighbour.role)


def test_the_door_is_as_open_as_it_claims(door: Door) -> None:
    status, page = door.ask(door.twins.left, "' OR true --")
    assert status == 200
    assert page.count("canary-of-left") == 5


@pytest.mark.parametrize("bare", [False, True], ids=["with-parameters", "without-parameters"])
@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_no_fragment_reads_or_changes_the_neighbour(
    door: Door, owner: Connection, untouched: str, fragment: str, bare: bool
) -> None:
    left, right = door.twins.left, door.twins.right
    how = {"bare": "yes"} if bare else {}
    status, page = door.ask(left, as_written(fragment, right), **how)
    assert status == 500, "the server must refuse it, not just find nothing"
    assert "canary-of-right" not in page
    assert right.schema not in page
    assert "Right Customer" not in page and right.slug not in page
    assert checksum(owner, right) == untouched
    assert_nothing_stuck(door)


@pytest.mark.parametrize("fragment", NUMBERS_INTO_NAMES)
def test_numbers_turned_into_names_tell_opaque_names_only(door: Door, fragment: str) -> None:
    _, page = door.ask(door.twins.left, fragment)
    assert "canary-of-right" not in page
    assert "Right Customer" not in page and door.twins.right.slug not in page


def assert_nothing_stuck(door: Door) -> None:
    """The next requests, on the same pool, are in their own tenants."""
    for tenant in (door.twins.right, door.twins.left):
        status, page = door.ask(tenant, door.twins.canary(tenant))
        assert status == 200
        assert page.count(door.twins.canary(tenant)) == 5
