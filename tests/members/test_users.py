"""A user's page: roles, teams, state; deactivating with a hand-over that loses nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from qikbiz.crm.record_ownership import transfer
from qikbiz.kernel.permissions import Permission
from qikbiz.kernel.rights import Rights
from tests.fixtures.roles import ruled
from workers.run_job import perform

pytestmark = pytest.mark.promise("P14")


@pytest.fixture
def owned(staffed):
    organisation, ben = staffed.organisation, staffed.id("ben")
    for number in range(3):
        organisation.add_contact(first_name=f"Ann {number}", owner_id=ben)
    organisation.add_company("Ben's Company", owner_id=ben)
    organisation.add_contact(first_name="Other", owner_id=staffed.id("alice"))
    return ben


def work_off(app, tenant, rows_of):
    """What a worker would do now."""
    for row in rows_of(tenant, "select id from jobs where kind = 'records.transfer' and state = 'pending'"):
        with app.app_context():
            perform(tenant.id, row["id"])


def _owners(rows_of, tenant):
    both = "(select owner_id from contacts union all select owner_id from companies)"
    query = f"select owner_id, count(*) as records from {both} r group by 1"
    return {row["owner_id"]: row["records"] for row in rows_of(tenant, query)}


def test_a_users_page_shows_what_is_theirs(staffed, owned):
    alice = staffed.organisation.browser("alice")
    staffed.team("North", "ben")
    page = alice.get(f"/users/{owned}").text
    assert "3 contacts" in page and "1 company" in page and "Member" in page and "North" in page
    seats = alice.get("/users").text
    assert "Deactivated" in seats and "Invited" in seats and f"/users/{owned}" in seats


def test_several_roles_and_teams_are_given_at_once(staffed, owned, rows_of):
    alice, tenant = staffed.organisation.browser("alice"), staffed.organisation.tenant
    north, south = staffed.team("North", "ben"), staffed.team("South")
    assert alice.post(f"/users/{owned}/role", {"role": ["member", "reader"]}).status_code == 303
    assert alice.post(f"/users/{owned}/teams", {"teams": [str(south)]}).status_code == 303
    assert rows_of(tenant, "select roles from users where id = :id", id=owned)[0]["roles"] == ["member", "reader"]
    joined = [
        row["team_id"] for row in rows_of(tenant, "select team_id from team_members where user_id = :id", id=owned)
    ]
    assert joined == [south] and north != south
    event = rows_of(tenant, "select details from audit_events where action = 'user.roles_changed'")[0]
    assert event["details"]["changes"]["roles"] == ["Member", "Member, Reader"]
    assert alice.post(f"/users/{owned}/role", {}).status_code == 400
    assert alice.post(f"/users/{owned}/teams", {"teams": [str(uuid4())]}).status_code == 404


def test_all_records_are_handed_over_and_each_says_so(staffed, owned, rows_of):
    alice, tenant, new_owner = staffed.organisation.browser("alice"), staffed.organisation.tenant, staffed.id("bob")
    assert "4 records" in alice.get(f"/users/{owned}/handover").text
    assert alice.post(f"/users/{owned}/handover", {"to": str(new_owner)}).status_code == 303
    assert _owners(rows_of, tenant) == {new_owner: 4, staffed.id("alice"): 1}
    changes = rows_of(
        tenant, "select changes, actor_name from record_changes where changes ? 'owner_id' and version = 2"
    )
    assert len(changes) == 4
    assert {row["actor_name"] for row in changes} == {"Alice"}
    event = rows_of(tenant, "select details from audit_events where action = 'user.records_handed_over'")[0]["details"]
    assert (event["to"], event["contacts"], event["companies"]) == ("Bob", 3, 1)
    again = alice.post(f"/users/{owned}/handover", {"to": str(new_owner)})
    assert again.status_code == 303 and _owners(rows_of, tenant)[new_owner] == 4


def test_much_is_handed_over_by_a_worker_with_its_progress(staffed, owned, rows_of, monkeypatch, app):
    monkeypatch.setattr(transfer, "MOST_AT_ONCE", 2)
    alice, tenant, new_owner = staffed.organisation.browser("alice"), staffed.organisation.tenant, staffed.id("bob")
    answer = alice.post(f"/users/{owned}/handover", {"to": str(new_owner)})
    assert "/handover/" in answer.location and "Waiting" in alice.get(answer.location).text
    assert _owners(rows_of, tenant)[owned] == 4
    work_off(app, tenant, rows_of)
    assert "All records were transferred" in alice.get(answer.location).text
    assert _owners(rows_of, tenant)[new_owner] == 4


def test_a_worker_hands_over_only_while_whoever_asked_may_do_it(staffed, owned, rows_of, monkeypatch, app):
    monkeypatch.setattr(transfer, "MOST_AT_ONCE", 2)
    tenant, new_owner = staffed.organisation.tenant, staffed.id("bob")
    staffed.join("cleo", Rights.of(see="all", change="all", delete="all", create="all", import_="all",
                                   pages=[Permission.USER_MANAGE]))  # fmt: skip
    staffed.organisation.browser("cleo").post(f"/users/{owned}/handover", {"to": str(new_owner)})
    rows_of(tenant, "update users set roles = '{reader}' where id = :id", id=staffed.id("cleo"))
    work_off(app, tenant, rows_of)
    assert _owners(rows_of, tenant)[owned] == 4


@pytest.mark.promise("P15")
@pytest.mark.parametrize(
    "rights",
    [
        Rights.of(see="own", change="own", pages=[Permission.USER_MANAGE]),
        Rights.of(see="all", pages=[Permission.USER_MANAGE]),
        ruled(Rights.of(see="all", change="all", pages=[Permission.USER_MANAGE]), owner_id="read-only"),
    ],
    ids=["own records only", "reading only", "owners only read"],
)
def test_nobody_hands_over_records_that_they_may_not_change_themselves(staffed, rows_of, rights):
    tenant = staffed.organisation.tenant
    staffed.join("cleo", rights)
    staffed.join("dora", ruled(Rights.of(see="own"), owner_id="read-only"))
    staffed.organisation.add_contact(first_name="Ann", owner_id=staffed.id("dora"))
    cleo, dora = staffed.organisation.browser("cleo"), staffed.id("dora")
    for act in ("handover", "deactivation"):
        refused = cleo.post(f"/users/{dora}/{act}", {"to": str(staffed.id("cleo"))})
        assert refused.status_code == 403 and "To transfer" in refused.text
    assert _owners(rows_of, tenant) == {dora: 1}
    assert rows_of(tenant, "select state from users where id = :id", id=dora)[0]["state"] == "active"


def test_deactivating_offers_to_hand_over(staffed, owned, rows_of, browser_at):
    alice, tenant, new_owner = staffed.organisation.browser("alice"), staffed.organisation.tenant, staffed.id("bob")
    assert "Keep the current owner" in alice.get(f"/users/{owned}/deactivation").text
    assert alice.post(f"/users/{owned}/deactivation", {"to": str(new_owner)}).status_code == 303
    assert _owners(rows_of, tenant)[new_owner] == 4
    ben = staffed.organisation.people["ben"]
    assert browser_at(tenant.host).log_in(ben.email, ben.password).status_code == 401
    assert "Reactivate" in alice.get(f"/users/{owned}").text
    alice.post(f"/users/{owned}/opening")
    assert browser_at(tenant.host).log_in(ben.email, ben.password).status_code == 303


def test_nothing_is_handed_over_when_the_login_can_not_be_deactivated(staffed, rows_of):
    alice, mine = staffed.organisation.browser("alice"), staffed.id("alice")
    staffed.organisation.add_contact(first_name="Mine", owner_id=mine)
    assert alice.post(f"/users/{mine}/deactivation", {"to": str(staffed.id("bob"))}).status_code == 409
    assert _owners(rows_of, staffed.organisation.tenant) == {mine: 1}


UNKNOWN = (("", 400), ("x", 400), ("00000000-0000-0000-0000-000000000001", 409))


def test_records_go_to_nobody_unknown(staffed, owned, rows_of, subtests):
    for to, status in UNKNOWN:
        with subtests.test(f"to {to!r}"):
            assert (
                staffed.organisation.browser("alice").post(f"/users/{owned}/handover", {"to": to}).status_code == status
            )
            assert _owners(rows_of, staffed.organisation.tenant)[owned] == 4


def test_records_do_not_go_to_oneself_or_to_somebody_deactivated(staffed, owned):
    alice = staffed.organisation.browser("alice")
    assert alice.post(f"/users/{owned}/handover", {"to": str(owned)}).status_code == 400
    alice.post(f"/users/{staffed.id('bob')}/closure")
    assert alice.post(f"/users/{owned}/handover", {"to": str(staffed.id("bob"))}).status_code == 409


@pytest.mark.parametrize("who", ["ben", "bob"])
def test_others_do_not_see_or_move_anybody(staffed, owned, who):
    browser = staffed.organisation.browser(who)
    for page in ("", "/handover", "/deactivation"):
        assert browser.get(f"/users/{owned}{page}").status_code == 403
    for act in ("/handover", "/deactivation", "/teams", "/role"):
        assert browser.post(f"/users/{owned}{act}", {"to": str(staffed.id("bob"))}).status_code == 403


def test_another_tenants_users_are_not_there(staffed, owned, client_for):
    mallory = client_for("mallory")
    for page in ("", "/handover", "/deactivation"):
        assert mallory.get(f"/users/{owned}{page}").status_code == 404
    assert mallory.post(f"/users/{owned}/handover", {"to": str(staffed.id("bob"))}).status_code == 404


def test_these_acts_need_a_password_given_lately(staffed, owned, clock):
    alice = staffed.organisation.browser("alice")
    clock.move(minutes=16)
    for act in ("handover", "deactivation", "teams"):
        assert "/confirm" in alice.post(f"/users/{owned}/{act}", {"to": str(staffed.id("bob"))}).location


@pytest.mark.promise("P15")
def test_two_administrators_who_deactivate_each_other_at_once_leave_one(staffed, rows_of, log_in):
    organisation = staffed.organisation
    dora = staffed.add_person(organisation.tenant, "Dora", "administrator")
    alice, other = organisation.browser("alice"), log_in(dora)
    acts = [(alice, dora.id, alice.csrf_token()), (other, staffed.id("alice"), other.csrf_token())]

    def deactivate(act):
        who, whom, token = act
        return who.post(f"/users/{whom}/deactivation", {"csrf_token": token}, check=False).status_code

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(deactivate, acts))
    assert answers[0] == 303 and answers[1] in (303, 401, 403, 409)
    query = "select id from users where 'administrator' = any(roles) and state = 'active'"
    assert len(rows_of(organisation.tenant, query)) == 1
