"""No user gives or takes more access than they have: by teams, by roles, by invitations."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from qikbiz.identity.accounts.models import User
from qikbiz.identity.members.actions import change_roles, invite_user, resend_invitation
from qikbiz.identity.roles import teams
from qikbiz.identity.roles.actions import change_role, edition_of
from qikbiz.identity.roles.delegation import BeyondOwnRights
from qikbiz.identity.roles.models import OwnRole, TeamMember
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.permissions import Permission as P
from qikbiz.kernel.rights import Rights

pytestmark = pytest.mark.promise("P15")
TEAM = {"see": "team", "create": "team", "change": "team", "delete": "team", "export": "team", "import_": "team"}
PEOPLE = [P.TEAM_MANAGE, P.USER_INVITE, P.USER_MANAGE, P.ROLE_MANAGE]


@pytest.fixture
def lead(staffed):
    """Lea leads North, where Cleo is; Dan and Erin are in South. All reach the records of their teams."""
    staffed.join("lea", Rights.of(**TEAM, pages=PEOPLE))
    for name in ("cleo", "dan", "erin"):
        staffed.join(name, Rights.of(see="team", change="team"))
    return {"north": staffed.team("North", "lea", "cleo"), "south": staffed.team("South", "dan", "erin")}


def _members(staffed, team):
    with tenant_transaction(staffed.organisation.tenant) as session:
        return set(session.scalars(select(TeamMember.user_id).where(TeamMember.team_id == team)))


@pytest.mark.parametrize(
    ("team", "people", "is_allowed"),
    [
        ("south", ("dan", "erin", "lea"), False),
        ("north", ("lea", "cleo", "dan"), False),
        ("south", ("dan", "erin", "cleo"), False),
        ("north", ("lea",), True),
        ("south", ("dan",), True),
        ("north", ("lea", "cleo"), True),
    ],
)
def test_a_team_is_widened_only_by_who_reaches_all_of_it(staffed, lead, team, people, is_allowed):
    browser, url = staffed.organisation.browser("lea"), f"/teams/{lead[team]}"
    before, wanted = _members(staffed, lead[team]), {staffed.id(name) for name in people}
    answer = browser.post(url, {"name": team.title(), "members": [str(one) for one in wanted]})
    assert answer.status_code == (303 if is_allowed else 403), answer.text[-500:]
    assert _members(staffed, lead[team]) == (wanted if is_allowed else before)


def test_the_page_of_a_user_is_held_to_the_same(staffed, lead):
    url = f"/users/{staffed.id('lea')}/teams"
    both = {"teams": [str(lead["north"]), str(lead["south"])]}
    assert staffed.organisation.browser("lea").post(url, both).status_code == 403
    assert staffed.organisation.browser("alice").post(url, both).status_code == 303, (
        "an administrator reaches everything"
    )
    assert staffed.id("lea") in _members(staffed, lead["south"])


def test_the_actions_themselves_ask_for_the_permission(staffed, lead):
    with staffed.acting("cleo"):
        for act in (
            lambda: teams.create_team("Mine"),
            lambda: teams.change_team(lead["north"], "North", {staffed.id("cleo")}),
            lambda: teams.join_teams(staffed.id("cleo"), {lead["south"]}),
            lambda: teams.delete_team(lead["south"]),
        ):
            with pytest.raises(BeyondOwnRights), tenant_transaction(staffed.organisation.tenant):
                act()
    assert len(_members(staffed, lead["south"])) == 2


@pytest.mark.parametrize("who", ["ina", "lea"])
def test_no_invitation_puts_somebody_into_a_team_that_is_not_ones_to_give(staffed, lead, who):
    """Ina invites without managing teams; Lea manages them and reaches only her own."""
    staffed.join("ina", Rights.of(see="all", create="all", change="all", pages=[P.USER_INVITE]))
    with tenant_transaction(staffed.organisation.tenant) as session:
        role = session.scalars(select(OwnRole.name).where(OwnRole.name.like("cleo%"))).one()
    table = f"name,email,roles,team\nNew,new@x.example,{role},South\n"
    browser = staffed.organisation.browser(who)
    looked = browser.post("/users/invitations", {"table": table})
    assert ("Only a user who may manage teams" if who == "ina" else "that you can't access") in looked.text.replace(
        "&#39;", "'"
    )
    sent = browser.post("/users/invitations/sending", {"table": table, "lines": ["2"]})
    assert sent.status_code == 422
    with tenant_transaction(staffed.organisation.tenant) as session:
        assert session.scalars(select(User.id).where(User.email == "new@x.example")).all() == []
    alone = browser.post("/users/invitations/sending", {"table": table.replace("South", ""), "lines": ["2"]})
    assert alone.status_code == 303


def test_a_role_with_the_scope_team_is_not_given_to_who_is_in_a_wider_team(staffed, lead):
    staffed.join("fay", Rights.of(see="own"))
    staffed.team("East", "fay", "dan")
    with tenant_transaction(staffed.organisation.tenant) as session:
        key = next(role.key for role in session.scalars(select(OwnRole)) if role.name.startswith("cleo"))
        own = next(role for role in session.scalars(select(OwnRole)) if role.name.startswith("fay"))
        seen_at, fays = edition_of(own), own.key
    wider = Rights.of(see="team")
    for act in (
        lambda: change_roles(staffed.id("fay"), [key]),
        lambda: change_role(fays, "fay 0", wider, seen_at=seen_at),
    ):
        refused = pytest.raises(BeyondOwnRights, match="can't access")
        with staffed.acting("lea"), refused, tenant_transaction(staffed.organisation.tenant):
            act()
        with staffed.acting("alice"), tenant_transaction(staffed.organisation.tenant):
            act()
        with tenant_transaction(staffed.organisation.tenant) as session:
            session.get_one(User, staffed.id("fay")).roles = [fays]


def test_a_link_is_sent_again_only_to_who_may_do_no_more_and_after_a_password(staffed, clock):
    staffed.join("ina", Rights.of(see="all", pages=[P.USER_INVITE]))
    with tenant_transaction(staffed.organisation.tenant) as session:
        waiting = User(email="boss@x.example", email_key="boss@x.example", name="Boss", roles=["administrator"])
        waiting.state = "invited"
        session.add(waiting)
        session.flush()
        boss = waiting.id
    ina, alice = staffed.organisation.browser("ina"), staffed.organisation.browser("alice")
    assert ina.post(f"/users/{boss}/invitation").status_code == 403
    with staffed.acting("ina"), pytest.raises(BeyondOwnRights), tenant_transaction(staffed.organisation.tenant):
        resend_invitation(boss, invited_by="Ina")
    assert alice.post(f"/users/{boss}/invitation").status_code == 303
    clock.move(minutes=30)
    stale = alice.post(f"/users/{boss}/invitation")
    assert "/confirm" in (stale.location or ""), "the password is asked for again"


def test_whoever_waits_in_a_wider_team_is_not_invited_anew_with_a_role_that_reaches_it(staffed, lead):
    """Their link goes to the address that the invitation names, so a role given like this is as good as taken."""
    staffed.join("fay", Rights.of(see="own"))
    with tenant_transaction(staffed.organisation.tenant) as session:
        roles = {role.name.split()[0]: role.key for role in session.scalars(select(OwnRole))}
        pat = User(email="pat@x.example", email_key="pat@x.example", name="Pat", roles=[roles["fay"]], state="invited")
        session.add(pat)
        session.flush()
        session.add(TeamMember(team_id=lead["south"], user_id=pat.id))
    refused = pytest.raises(BeyondOwnRights, match="can't access")
    with staffed.acting("lea"), refused, tenant_transaction(staffed.organisation.tenant):
        invite_user("pat@x.example", "Pat", [roles["cleo"]])
    with tenant_transaction(staffed.organisation.tenant) as session:
        assert session.get_one(User, pat.id).roles == [roles["fay"]]
    with staffed.acting("alice"), tenant_transaction(staffed.organisation.tenant):
        invite_user("pat@x.example", "Pat", [roles["cleo"]])
