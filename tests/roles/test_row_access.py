"""Who reaches which records, on every page that shows or changes them. Outside of reach is the same as not there."""

from __future__ import annotations

from itertools import product
from uuid import uuid4

import pytest

from qikbiz.kernel.rights import Rights

WORKS_WITH_OWN = Rights.of(see="own", create="own", change="own", delete="own")


@pytest.fixture
def records(staffed):
    """Four contacts and companies: of Cleo's, of Dan's in her team, of Alice's, and without an owner."""
    organisation = staffed.organisation
    staffed.join("cleo", WORKS_WITH_OWN)
    staffed.join("dan", Rights.of(see="team", change="own"))
    staffed.team("North", "cleo", "dan")
    owners = {"cleos": staffed.id("cleo"), "dans": staffed.id("dan"), "alices": staffed.id("alice"), "nobodys": None}
    contacts = {
        name: organisation.add_contact(
            first_name=name.title(), last_name="Contact", email=f"{name}@x.example", owner_id=owner
        )
        for name, owner in owners.items()
    }
    companies = {
        name: organisation.add_company(f"{name.title()} Company", owner_id=owner) for name, owner in owners.items()
    }
    return {"contacts": contacts, "companies": companies}


EVERYBODY = {"Cleos", "Dans", "Alices", "Nobodys"}
SEEN = {"alice": EVERYBODY, "cleo": {"Cleos"}, "dan": {"Cleos", "Dans"}}


@pytest.mark.promise("P15")
def test_a_list_its_search_and_its_count_hold_what_the_role_reaches(staffed, records, subtests):
    for plural, (who, seen) in product(("contacts", "companies"), SEEN.items()):
        with subtests.test(f"{plural} of {who}"):
            browser = staffed.organisation.browser(who)
            paths = (f"/{plural}", "/search?q=co", f"/{plural}?q=co")
            for text in [browser.get(path).text for path in paths]:
                assert {name for name in EVERYBODY if f"{name} Co" in text} == seen
            counted = browser.get(f"/{plural}").text
            assert f"{len(seen)} {plural if len(seen) > 1 else plural.replace('ies', 'y').removesuffix('s')}" in counted


@pytest.mark.promise("P15")
def test_suggestions_offer_nothing_else(staffed, records):
    cleo = staffed.organisation.browser("cleo")
    for plural in ("contacts", "companies"):
        offered = cleo.get(f"/{plural}/suggestions?q=Co").text
        assert "Cleos" in offered and "Alices" not in offered and "Dans" not in offered


@pytest.mark.promise("P15")
def test_the_first_page_counts_and_names_nothing_else(staffed, records):
    page = staffed.organisation.browser("cleo").get("/").text
    assert "Cleos Contact" in page and "Alices Contact" not in page


@pytest.mark.promise("P15")
@pytest.mark.parametrize("plural", ["contacts", "companies"])
def test_a_record_outside_of_reach_answers_as_one_that_does_not_exist(staffed, records, plural):
    cleo = staffed.organisation.browser("cleo")
    theirs, nothing = records[plural]["alices"], uuid4()
    pages = ("", "/edit", "/fields/description")
    for page in pages:
        there, none = cleo.get(f"/{plural}/{theirs}{page}"), cleo.get(f"/{plural}/{nothing}{page}")
        assert there.status_code == none.status_code == 404
        assert _without_reference(there.text) == _without_reference(none.text)
    acts = {"/edit": {"first_name": "X"}, "/conflict": {}, "/fields/description": {"description": "X"}, "/deletion": {}}
    for act, form in acts.items():
        there, none = cleo.post(f"/{plural}/{theirs}{act}", form), cleo.post(f"/{plural}/{nothing}{act}", form)
        assert there.status_code == none.status_code == 404, act


def _without_reference(text):
    return "\n".join(line for line in text.splitlines() if "reference" not in line.lower() and "csrf" not in line)


@pytest.mark.promise("P15")
def test_what_may_be_seen_but_not_changed_is_refused_openly(staffed, records):
    dan = staffed.organisation.browser("dan")
    seen, own = records["contacts"]["cleos"], records["contacts"]["dans"]
    page = dan.get(f"/contacts/{seen}")
    assert page.status_code == 200 and "/edit" not in page.text
    assert dan.get(f"/contacts/{seen}/edit").status_code == 403
    assert dan.post(f"/contacts/{seen}/fields/description", {"description": "X", "version": "1"}).status_code == 403
    assert dan.get(f"/contacts/{own}/edit").status_code == 200
    assert dan.post(f"/contacts/{own}/deletion").status_code == 403


@pytest.mark.promise("P15")
def test_acts_on_several_rows_leave_the_others_alone(staffed, records, rows_of):
    cleo, contacts = staffed.organisation.browser("cleo"), records["contacts"]
    answer = cleo.post("/contacts/several", {"ids": list(contacts.values()), "act": "tag", "tag": "Mine"})
    assert "3 could not be changed" in cleo.follow(answer).text
    cleo.post("/contacts/several", {"ids": list(contacts.values()), "act": "delete"})
    query = "select first_name, tags, deleted_at is not null as gone from contacts"
    rows = {row["first_name"]: (row["tags"], row["gone"]) for row in rows_of(staffed.organisation.tenant, query)}
    assert rows.pop("Cleos") == (["Mine"], True)
    assert set(map(str, rows.values())) == {"([], False)"}


@pytest.mark.promise("P15")
def test_the_trash_holds_only_what_could_be_brought_back(staffed, records, rows_of):
    alice, cleo = staffed.organisation.browser("alice"), staffed.organisation.browser("cleo")
    contacts = records["contacts"]
    alice.post("/contacts/several", {"ids": [contacts["alices"], contacts["cleos"]], "act": "delete"})
    trash = cleo.get("/contacts/trash").text
    assert "Cleos Contact" in trash and "Alices Contact" not in trash
    assert cleo.get(f"/contacts/{contacts['alices']}").status_code == 404
    both = ".".join(ident.replace("-", "") for ident in (contacts["alices"], contacts["cleos"]))
    cleo.post(f"/contacts/restorations?ids={both}")
    left = rows_of(staffed.organisation.tenant, "select first_name from contacts where deleted_at is not null")
    assert [row["first_name"] for row in left] == ["Alices"]
    assert cleo.post(f"/contacts/{contacts['alices']}/removal", {"typed": "Alices Contact"}).status_code == 403


@pytest.mark.promise("P15")
def test_a_new_record_is_ones_own_and_can_not_be_slipped_to_others(staffed, records, rows_of):
    cleo, alice_id = staffed.organisation.browser("cleo"), str(staffed.id("alice"))
    cleo.post("/contacts", {"first_name": "New"})
    owner = rows_of(staffed.organisation.tenant, "select owner_id from contacts where first_name = 'New'")[0][
        "owner_id"
    ]
    assert owner == staffed.id("cleo")
    refused = cleo.post("/contacts", {"first_name": "Slip", "owner_id": alice_id})
    assert refused.status_code == 422 and "this owner" in refused.text
    own = records["contacts"]["cleos"]
    refused = cleo.post(f"/contacts/{own}/edit", {"first_name": "Cleos", "owner_id": alice_id, "version": "1"})
    assert refused.status_code == 422
    bulk = cleo.post("/contacts/several", {"ids": [own], "act": "owner", "owner_id": alice_id})
    assert bulk.status_code == 400
    assert not rows_of(staffed.organisation.tenant, "select id from contacts where first_name = 'Slip'")


@pytest.mark.promise("P15")
def test_a_company_out_of_reach_is_named_nowhere_on_a_contact(staffed, records, rows_of):
    organisation, company = staffed.organisation, records["companies"]["alices"]
    own = records["contacts"]["cleos"]
    organisation.browser("alice").post(
        f"/contacts/{own}/companies", {"company_name": "Alices Company", "role": "Buyer"}
    )
    assert "Alices Company" in organisation.browser("alice").get(f"/contacts/{own}").text
    cleo = organisation.browser("cleo")
    for path in (
        "/contacts", f"/contacts/{own}", f"/contacts/{own}?tab=details", f"/contacts/{own}/edit",
        f"/contacts/{own}/fields/company_name", f"/contacts?company_name={company}", "/search?q=Cleos",
        "/contacts/suggestions?q=Cleos", "/contacts?sort=name", "/",
    ):  # fmt: skip
        answer = cleo.get(path)
        assert "Alices Company" not in answer.text, path
        assert company in path or company not in answer.text, path
    assert "Cleos Contact" not in cleo.get(f"/contacts?company_name={company}").text
    assert "Cleos Contact" not in cleo.get("/contacts?q=Alices").text
    assert cleo.post(f"/contacts/{own}/companies/{company}/removal").status_code == 404
    assert cleo.post(f"/contacts/{own}/companies/{company}/primary").status_code == 404


@pytest.mark.promise("P15")
def test_saving_a_contact_does_not_tear_off_a_company_that_is_out_of_reach(staffed, records, rows_of):
    organisation, own = staffed.organisation, records["contacts"]["cleos"]
    organisation.browser("alice").post(f"/contacts/{own}/companies", {"company_name": "Alices Company", "role": ""})
    version = rows_of(organisation.tenant, "select version from contacts where id = :id", id=own)[0]["version"]
    mine = {"owner_id": str(staffed.id("cleo"))}
    form = {"first_name": "Cleo's", "last_name": "Contact", "version": str(version), **mine}
    cleo = organisation.browser("cleo")
    assert cleo.post(f"/contacts/{own}/edit", form).status_code == 303
    kept = rows_of(organisation.tenant, "select first_name, company_name from contacts where id = :id", id=own)[0]
    assert (kept["first_name"], kept["company_name"]) == ("Cleo's", "Alices Company")
    refused = cleo.post(f"/contacts/{own}/edit", form | {"company_name": "Cleos Company", "version": str(version + 1)})
    assert refused.status_code == 400 and "company_name" in refused.text


@pytest.mark.promise("P15")
def test_the_people_of_a_company_are_those_within_reach(staffed, records):
    organisation, company = staffed.organisation, records["companies"]["cleos"]
    alice = organisation.browser("alice")
    for contact in ("cleos", "alices"):
        alice.post(f"/contacts/{records['contacts'][contact]}/companies", {"company_name": "Cleos Company", "role": ""})
    page = organisation.browser("cleo").get(f"/companies/{company}").text
    assert "Cleos Contact" in page and "Alices Contact" not in page


@pytest.mark.promise("P15")
def test_another_tenant_sees_none_of_it(staffed, records, client_for):
    assert client_for("mallory").get(f"/contacts/{records['contacts']['cleos']}").status_code == 404


def test_whoever_reaches_all_pays_no_further_sql(staffed, records, app, world):
    from tests.accounts.conftest import counted_statements

    alice = staffed.organisation.browser("alice")
    alice.get("/contacts")
    with counted_statements(app, world) as seen:
        alice.get("/contacts")
    asked = [statement for statement in seen if "contacts" in statement]
    assert not any(word in statement for statement in seen for word in ("roles", "team_members"))
    assert all("owner_id =" not in statement and "EXISTS" not in statement for statement in asked)
