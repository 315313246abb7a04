"""A record's page says who can see it and why, and who opened it."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from sqlalchemy import select

from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.models import Contact
from qikbiz.identity.accounts.models import User
from qikbiz.identity.roles.models import OwnRole, Team, TeamMember
from qikbiz.kernel.rights import Rights
from tests.fixtures.grants import Customer
from tests.fixtures.world import Organisation


def tables(page: str) -> list[list[tuple[str, ...]]]:
    """Each table as rows of plain texts."""
    found = []
    for table in re.findall(r"<table.*?</table>", page, re.S):
        rows = re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], re.S)
        found.append([tuple(plain(cell) for cell in re.findall(r"<td.*?>(.*?)</td>", row, re.S)) for row in rows])
    return found


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def access(organisation: Organisation, ident: str, name: str = "alice") -> list[list[tuple[str, ...]]]:
    page = organisation.browser(name).get(f"/contacts/{ident}?tab=access")
    assert page.status_code == 200, page.text
    return tables(page.text)


def give_role(organisation: Organisation, name: str, **rights: str) -> None:
    with organisation.work() as session:
        role = OwnRole(name=f"Role of {name}", folded_name=name, rights=Rights.of(**rights).as_json())
        session.add(role)
        session.flush()
        session.get_one(User, organisation.people[name].id).roles = [role.key]


def test_everybody_by_their_role(organisation: Organisation) -> None:
    ann = organisation.add_contact(first_name="Ann")
    assert access(organisation, ann)[0] == [
        ("Alice", "sees all contacts (role Administrator)", "change, delete, export"),
        ("Ben", "sees all contacts (role Member)", "change, delete"),
        ("Bob", "sees all contacts (role Reader)", ""),
    ]


def test_owners_teams_and_those_who_see_nothing_of_it(organisation: Organisation) -> None:
    give_role(organisation, "ben", see="own", change="own")
    give_role(organisation, "bob", see="team")
    ben, bob = organisation.people["ben"].id, organisation.people["bob"].id
    ann = organisation.add_contact(first_name="Ann", owner_id=ben)
    assert [row[:2] for row in access(organisation, ann)[0]] == [
        ("Alice", "sees all contacts (role Administrator)"),
        ("Ben", "owns it (role Role of ben)"),
    ]
    with organisation.work() as session:
        team = Team(name="Sales", folded_name="sales")
        session.add(team)
        session.flush()
        session.add_all([TeamMember(team_id=team.id, user_id=one) for one in (ben, bob)])
    assert ("Bob", "is in a team with the owner (role Role of bob)", "") in access(organisation, ann)[0]
    with organisation.work() as session:
        session.get_one(Contact, ann).owner_id = None
    assert [row[0] for row in access(organisation, ann)[0]] == ["Alice"]


def test_what_the_tab_says_is_what_happens(organisation: Organisation) -> None:
    """A user who is named can open it, one who is not gets a page that says there is none."""
    give_role(organisation, "ben", see="own")
    own = organisation.add_contact(first_name="Own", owner_id=organisation.people["ben"].id)
    other = organisation.add_contact(first_name="Other", owner_id=organisation.people["alice"].id)
    for ident in (own, other):
        named = {row[0] for row in access(organisation, ident)[0]}
        for name in ("alice", "ben", "bob"):
            found = organisation.browser(name).get(f"/contacts/{ident}").status_code
            assert (name.title() in named) == (found == 200), (name, ident)


def test_somebody_who_can_not_log_in_is_not_named(organisation: Organisation) -> None:
    ann = organisation.add_contact(first_name="Ann")
    with organisation.work() as session:
        session.get_one(User, organisation.people["bob"].id).state = "disabled"
    assert "Bob" not in [row[0] for row in access(organisation, ann)[0]]


def test_who_opened_it_is_for_those_who_may_read_the_audit(organisation: Organisation) -> None:
    ann = organisation.add_contact(first_name="Ann")
    organisation.browser("bob").get(f"/contacts/{ann}")
    organisation.browser("bob").get(f"/contacts/{ann}")
    opened = access(organisation, ann)[1]
    assert [row[:2] for row in opened] == [("Bob", "1")]
    page = organisation.browser("ben").get(f"/contacts/{ann}?tab=access").text
    assert "Shown to users who may read the audit." in page and len(tables(page)) == 1


def test_companies_have_it_too_and_another_organisation_sees_nothing(
    organisation: Organisation, client_for: Callable[[str], Any]
) -> None:
    umbrella = organisation.add_company("Umbrella")
    page = organisation.browser("alice").get(f"/companies/{umbrella}?tab=access")
    assert ("Bob", "sees all companies (role Reader)", "") in tables(page.text)[0]
    assert client_for("mallory").get(f"/companies/{umbrella}?tab=access").status_code == 404
    assert organisation.browser("alice").get(f"/companies/{umbrella}?tab=other").status_code == 404
    with organisation.work() as session:
        assert session.scalars(select(Company.name)).all() == ["Umbrella"]


def test_staff_are_named_while_a_grant_is_in_force_and_once_they_looked(customer: Customer) -> None:
    contact_id = customer.add_contact("Lovelace")
    path = f"/contacts/{contact_id}?tab=access"
    assert "you have given no support access" in customer.ann.get(path).text
    grant = customer.give("see", reason="Where is Ada?")
    inside = customer.enter(grant)
    first = tables(customer.ann.get(path).text)[0][0]
    assert first[0].endswith("QikBiz staff") and grant.reference in first[1] and "Where is Ada?" in first[1]
    assert inside.get(f"/contacts/{contact_id}").status_code == 200
    assert inside.get(path).status_code == 403
    opened = [row for row in tables(customer.ann.get(path).text)[1] if "Sam" in row[0]]
    assert len(opened) == 1 and "QikBiz staff" in opened[0][0] and grant.reference in opened[0][3]
