"""Staff who are inside are out in the moment in which they sign out at the console, or get another password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from provisioning.logins import add_person as add_login
from qikbiz.identity.accounts.realms import staff_realm
from qikbiz.identity.passwords.hashing import hash_password
from qikbiz.identity.staff.models import Staff, StaffFactor
from qikbiz.kernel.database import control_transaction
from tests.fixtures.devices import DEVICES, Device
from tests.fixtures.grants import Customer, way_in
from tests.fixtures.people import PASSWORD, Person
from tests.fixtures.web import Browser

pytestmark = pytest.mark.promise("P8")
NEW = "an entirely different phrase 7"
_CONSOLE = "console.localhost"


@pytest.fixture
def tess(customer: Customer, log_in: Callable[..., Browser]) -> Browser:
    """A member of staff of this test alone, at the console."""
    email = f"tess-{customer.tenant.slug}@qikbiz.example.com"
    with control_transaction():
        staff_id = add_login(staff_realm(), email, "Tess", "support", password_hash=hash_password(PASSWORD))
        device = DEVICES[email] = Device(customer.world.settings.origin(_CONSOLE), counts=False)
        handle, public = device.make_key(staff_id.bytes)
        key = {"handle": handle, "public_key": public, "host": _CONSOLE}
        staff_realm().work.add(StaffFactor(person_id=staff_id, kind="passkey", name="Key", **key))
    return log_in(Person(staff_id, "Tess", email, "support", None))


@pytest.mark.parametrize(
    "how", ["signs out", "changes the password", "ends other sessions", "is deactivated", "becomes an auditor"]
)
def test_the_next_click_is_outside(customer: Customer, tess: Browser, log_in: Callable[..., Browser], how: str) -> None:
    grant = customer.give("see")
    inside = customer.enter(grant, tess)
    waiting = way_in(tess.post(f"/tenants/{customer.tenant.slug}/support/{grant.id}/visits"))
    assert inside.get("/contacts").status_code == 200
    _do(how, tess, log_in)
    assert inside.get("/contacts").status_code == 303
    assert customer.browser_of(customer.tenant.host).post(waiting).status_code == 410, "nor by a ticket asked before"


def test_who_stays_signed_in_stays_inside(customer: Customer, tess: Browser, log_in: Callable[..., Browser]) -> None:
    """Another session of the same person that ends takes nothing away from this one."""
    inside = customer.enter(customer.give("see"), tess)
    other = log_in(_person())
    assert other.post("/logout").status_code == 303
    assert inside.get("/contacts").status_code == 200


def _do(how: str, tess: Browser, log_in: Callable[..., Browser]) -> None:
    match how:
        case "signs out":
            assert tess.post("/logout").status_code == 303
        case "changes the password":
            answer = tess.post("/profile/password", {"old_password": PASSWORD, "password": NEW})
            assert answer.status_code == 303, answer.text[-800:]
        case "ends other sessions":
            assert log_in(_person()).post("/profile/sessions/end-others").status_code == 303
        case "is deactivated":
            _set(state="disabled")
        case _:
            _set(role="auditor")


def _set(**values: Any) -> None:
    with control_transaction() as control:
        control.execute(update(Staff).where(Staff.id == _person().id).values(**values))


def _person() -> Person:
    with control_transaction() as control:
        found = control.scalars(select(Staff).where(Staff.name == "Tess").order_by(Staff.id.desc()).limit(1)).one()
        return Person(found.id, found.name, found.email, found.role, None)
