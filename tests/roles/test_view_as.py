"""An administrator views as another user: read only, for a quarter of an hour, and stays the actor."""

from __future__ import annotations

import pytest

from qikbiz.kernel.permissions import Permission
from qikbiz.kernel.rights import Rights
from tests.fixtures.roles import ruled


@pytest.fixture
def cleo(staffed):
    cleo = staffed.join("cleo", ruled(Rights.of(see="own", create="own", change="own"), phones="hidden"))
    organisation = staffed.organisation
    organisation.add_contact(first_name="Ann", last_name="Lee", phone="+49301234567", owner_id=cleo.id)
    organisation.add_contact(first_name="Bo", last_name="Yu", owner_id=organisation.people["alice"].id)
    return cleo


def test_an_administrator_sees_what_the_other_one_sees(staffed, cleo, rows_of):
    alice = staffed.organisation.browser("alice")
    assert alice.post("/preview", {"user": str(cleo.id)}).status_code == 303
    page = alice.get("/contacts").text
    assert "You are viewing as" in page and "Cleo" in page
    assert "Ann Lee" in page and "Bo Yu" not in page and "1234567" not in page
    assert alice.get("/users").status_code == 403
    events = rows_of(
        staffed.organisation.tenant, "select actor_name, subject from audit_events where action = 'preview.started'"
    )
    assert [tuple(event.values()) for event in events] == [("Alice", "Cleo")]


def test_a_role_can_be_looked_at_too(staffed, cleo):
    alice = staffed.organisation.browser("alice")
    alice.post("/preview", {"role": "reader"})
    page = alice.get("/contacts").text
    assert "the role Reader" in page and "Bo Yu" in page and "New contact" not in page


@pytest.mark.promise("P15")
def test_nothing_can_be_done_meanwhile_but_to_stop(staffed, cleo, rows_of):
    alice = staffed.organisation.browser("alice")
    alice.post("/preview", {"user": str(cleo.id)})
    for path, form in (
        ("/contacts", {"first_name": "New"}), ("/profile", {"name": "X"}), ("/preview", {"role": "reader"}),
        ("/contacts/columns", {}), ("/roles", {"name": "X", "source": "member"}),
    ):  # fmt: skip
        refused = alice.post(path, form)
        assert refused.status_code == 403, path
    assert "Stop viewing to make changes" in alice.post("/contacts", {"first_name": "New"}).text
    assert alice.post("/preview/end").status_code == 303
    assert alice.post("/contacts", {"first_name": "New"}).status_code == 303
    rows = rows_of(staffed.organisation.tenant, "select actor_name from audit_events where action = 'contact.created'")
    assert {row["actor_name"] for row in rows} == {"Alice"}
    assert rows_of(staffed.organisation.tenant, "select id from audit_events where action = 'preview.ended'")


def test_it_ends_by_itself(staffed, cleo, clock):
    alice = staffed.organisation.browser("alice")
    alice.post("/preview", {"user": str(cleo.id)})
    clock.move(minutes=14)
    assert "You are viewing as" in alice.get("/contacts").text
    clock.move(minutes=1, seconds=1)
    page = alice.get("/contacts").text
    assert "You are viewing as" not in page and "Bo Yu" in page


def test_who_looks_is_who_is_recorded(staffed, cleo, rows_of):
    alice = staffed.organisation.browser("alice")
    alice.post("/preview", {"user": str(cleo.id)})
    ann = rows_of(staffed.organisation.tenant, "select id from contacts where first_name = 'Ann'")[0]["id"]
    assert alice.get(f"/contacts/{ann}").status_code == 200
    read = rows_of(staffed.organisation.tenant, "select actor_name from audit_events where action = 'contact.read'")
    assert [row["actor_name"] for row in read] == ["Alice"]


@pytest.mark.promise("P15")
def test_looking_gives_nobody_more_than_they_have(staffed, cleo):
    staffed.join("dan", Rights.of(see="own", pages=[Permission.ROLE_MANAGE]))
    dan = staffed.organisation.browser("dan")
    dan.post("/preview", {"role": "administrator"})
    page = dan.get("/contacts").text
    assert "the role Administrator" in page and "Bo Yu" not in page and "Ann Lee" not in page
    assert dan.get("/audit").status_code == 403
    dan.post("/preview/end")
    dan.post("/preview", {"user": str(cleo.id)})
    assert dan.get("/contacts").status_code == 403


@pytest.mark.promise("P15")
@pytest.mark.parametrize("who", ["ben", "bob"])
def test_others_can_not_look(staffed, cleo, who):
    assert staffed.organisation.browser(who).post("/preview", {"user": str(cleo.id)}).status_code == 403


NOBODY = ({}, {"user": "nobody"}, {"role": "owner"}, {"user": "00000000-0000-0000-0000-000000000000"})


def test_there_must_be_somebody_to_look_as(staffed, client_for, world, subtests):
    alice = staffed.organisation.browser("alice")
    for form in NOBODY:
        with subtests.test(str(form)):
            assert alice.post("/preview", form).status_code == 400
            assert alice.post("/preview", {"user": str(world.mallory.id)}).status_code == 400


def test_another_login_of_the_same_person_does_not_look(staffed, cleo, log_in):
    staffed.organisation.browser("alice").post("/preview", {"user": str(cleo.id)})
    other = log_in(staffed.organisation.people["alice"])
    assert "You are viewing as" not in other.get("/contacts").text
