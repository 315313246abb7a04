"""Operators may limit the seats of an organisation: it sees how many are taken, and no user loses the account by it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest

from qikbiz.console.tenant_actions import limit_seats
from qikbiz.identity.members import seats as module
from qikbiz.kernel.database import control_transaction

pytestmark = pytest.mark.promise("P14")
INVITED = {"name": "Cleo Lee", "email": "cleo@x.example", "role": ["member"]}


# Alice, Ben and Bob have a login, and who was invited when the organisation was made still waits for one.
@pytest.fixture
def limit(app, organisation, working):
    """A function that sets the number of seats of the organisation, as operators do."""

    def set_to(seats):
        with control_transaction() as control:
            limit_seats(control, organisation.tenant.slug, seats)
        app.extensions["qikbiz"].directory.look()
        working.directory.look()

    return set_to


def _states(rows_of, organisation):
    return sorted(row["state"] for row in rows_of(organisation.tenant, "select state from users"))


def test_without_a_limit_the_page_says_how_many_are_taken(organisation):
    page = organisation.browser("alice").get("/users").text
    assert "Seats used" in page and "4 of" not in page


def test_the_limit_is_shown_and_nobody_is_invited_beyond_it(organisation, limit, rows_of):
    limit(5)
    alice = organisation.browser("alice")
    assert "4 of 5" in alice.get("/users").text
    assert "No seats left" not in alice.get("/users/invitation").text
    assert alice.post("/users/invitation", INVITED).status_code == 303
    assert "No seats left" in alice.get("/users/invitation").text
    refused = alice.post("/users/invitation", INVITED | {"email": "dan@x.example"})
    assert refused.status_code == 422 and "5 of 5 seats are taken" in refused.text and "dan@x.example" in refused.text
    assert _states(rows_of, organisation) == ["active"] * 3 + ["invited"] * 2
    # Inviting the same person again takes no second seat.
    assert alice.post("/users/invitation", INVITED).status_code == 303
    assert "5 of 5" in alice.get("/promises").text


def test_a_lower_limit_ends_nobodys_login(organisation, limit, rows_of):
    limit(1)
    assert "4 of 1" in organisation.browser("alice").get("/users").text
    assert organisation.browser("bob").get("/contacts").status_code == 200
    assert _states(rows_of, organisation) == ["active"] * 3 + ["invited"]


def test_deactivating_frees_a_seat_and_letting_in_again_takes_one(organisation, limit, rows_of):
    limit(4)
    alice, bob = organisation.browser("alice"), organisation.people["bob"].id
    assert alice.post(f"/users/{bob}/deactivation", {}).status_code == 303
    assert alice.post("/users/invitation", INVITED).status_code == 303
    refused = alice.post(f"/users/{bob}/opening")
    assert refused.status_code == 409 and "4 of 4 seats are taken" in refused.text
    limit(None)
    assert alice.post(f"/users/{bob}/opening").status_code == 303
    assert _states(rows_of, organisation) == ["active"] * 3 + ["invited"] * 2


def test_a_table_that_does_not_fit_says_so_and_invites_nobody(organisation, limit, rows_of):
    limit(5)
    alice = organisation.browser("alice")
    table = "name,email,roles\nCleo,cleo@x.example,member\nDan,dan@x.example,reader\n"
    assert "1 free, and this would take 2" in alice.post("/users/invitations", {"table": table}).text
    refused = alice.post("/users/invitations/sending", {"table": table, "lines": ["2", "3"]})
    assert refused.status_code == 422 and "1 free, and this would take 2" in refused.text
    assert len(_states(rows_of, organisation)) == 4
    assert alice.post("/users/invitations/sending", {"table": table, "lines": ["3"]}).status_code == 303


def test_two_at_once_do_not_share_the_last_seat(organisation, limit, rows_of, monkeypatch):
    limit(5)
    alice = organisation.browser("alice")
    alice.get("/users")
    both, counted = Barrier(2), module.seats

    def count_together():
        found = counted()
        # A thread that is alone here, because the other one queues, goes on after a moment.
        with suppress(BrokenBarrierError):
            both.wait(timeout=1)
        return found

    monkeypatch.setattr(module, "seats", count_together)
    forms = [INVITED | {"email": f"cleo{number}@x.example"} for number in range(2)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda form: alice.post("/users/invitation", form).status_code, forms))
    assert sorted(answers) == [303, 422]
    assert len(_states(rows_of, organisation)) == 5
