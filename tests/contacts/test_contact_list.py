"""The list of contacts: who sees it, how it is sorted, filtered, searched and paged, and which columns it shows."""

import re

import pytest
from sqlalchemy import insert

from qikbiz.crm.contacts.models import Contact
from tests.fixtures.web import Browser
from tests.fixtures.world import Organisation

PART = {"HX-Request": "true", "HX-Target": "list"}


def names(browser: Browser, path: str, **options: object) -> list[str]:
    page = browser.get(path, **options)
    assert page.status_code == 200, page.text
    return re.findall(r'class="record-link"[^>]*title="([^"]*)"', page.text)


@pytest.fixture
def staffed(organisation: Organisation) -> Organisation:
    organisation.company = organisation.add_company("Umbrella", domain="umbrella.example")  # type: ignore[attr-defined]
    alice = organisation.people["alice"].id
    organisation.add_contact(first_name="Ann", last_name="Lee", email="z@example.com", tags=["VIP"], owner_id=alice)
    organisation.add_contact(
        first_name="Carl", last_name="Abel", email="a@example.com", lifecycle_stage="Customer", city="Graz"
    )
    organisation.add_contact(last_name="Moser", lead_source="Website", company_name="Umbrella", company_id=None)
    return organisation


def test_everybody_of_the_organisation_sees_the_list_sorted_by_name(staffed: Organisation) -> None:
    for person in ("alice", "ben", "bob"):
        assert names(staffed.browser(person), "/contacts") == ["Carl Abel", "Ann Lee", "Moser"]


def test_a_reader_is_offered_nothing_that_changes(staffed: Organisation) -> None:
    page = staffed.browser("bob").get("/contacts").text
    assert "New contact" not in page
    assert 'name="ids"' not in page


def test_nobody_of_another_organisation_sees_a_row(staffed: Organisation, client_for: object) -> None:
    page = client_for("mallory").get("/contacts?q=moser").text  # type: ignore[operator]
    assert "record-link" not in page
    assert staffed.browser("alice").get("/contacts?q=moser").text.count("record-link") == 1


def test_without_a_login_the_list_asks_for_one(organisation: Organisation, browser_at: object) -> None:
    answer = browser_at(organisation.browser("bob").host).get("/contacts")  # type: ignore[operator]
    assert answer.status_code == 303
    assert answer.location.startswith("/login?next=")


LISTS = [
    ("sort=-name", ["Moser", "Ann Lee", "Carl Abel"]),
    ("sort=email", ["Carl Abel", "Ann Lee", "Moser"]),
    ("sort=-email", ["Ann Lee", "Carl Abel", "Moser"]),
    ("sort=created_at", ["Ann Lee", "Carl Abel", "Moser"]),
    ("sort=-updated_at", ["Moser", "Carl Abel", "Ann Lee"]),
    ("tags=VIP", ["Ann Lee"]),
    ("tags=vip", []),
    ("owner_id=nobody", ["Carl Abel", "Moser"]),
    ("owner_id=me", ["Ann Lee"]),
    ("lifecycle_stage=Customer", ["Carl Abel"]),
    ("lead_source=Website", ["Moser"]),
    ("email=no", ["Moser"]),
    ("email=yes&sort=-name", ["Ann Lee", "Carl Abel"]),
    ("city=rA", ["Carl Abel"]),
    ("city=%25", []),
    ("created_at_from=2020-01-01&created_at_to=2020-12-31", []),
    ("created_at_from=2020-01-01", ["Carl Abel", "Ann Lee", "Moser"]),
    ("q=lee", ["Ann Lee"]),
    ("q=umbr", ["Moser"]),
    ("q=lee&owner_id=nobody", []),
    ("utm_source=elsewhere", ["Carl Abel", "Ann Lee", "Moser"]),
]


def test_the_address_sorts_filters_and_searches(staffed: Organisation) -> None:
    for query, expected in LISTS:
        assert names(staffed.browser("alice"), f"/contacts?{query}") == expected, query


def test_a_company_filters_its_people_and_the_chip_takes_it_off(staffed: Organisation) -> None:
    page = staffed.browser("alice").get(f"/contacts?company_name={staffed.company}&sort=-name")  # type: ignore[attr-defined]
    assert "Company is Umbrella" in page.text
    assert 'href="/contacts?sort=-name" aria-label="Remove the filter' in page.text
    assert "Ann Lee" not in page.text


SENSELESS = [
    "sort=favourite", "sort=password_hash", "owner_id=17", "company_name=x", "email=perhaps", "after=xyz", "before=%00",
    "created_at_from=tomorrow", "after=" + "A" * 5000, "city=" + "x" * 300,
]  # fmt: skip


def test_an_address_that_makes_no_sense_is_refused_in_words(organisation: Organisation) -> None:
    for query in SENSELESS:
        answer = organisation.browser("bob").get(f"/contacts?{query}")
        assert answer.status_code == 400, query
        assert "Reference" in answer.text


def test_pages_follow_each_other_and_lead_back(organisation: Organisation) -> None:
    with organisation.work() as session:
        rows = [{"last_name": f"N{n:03}", "sort_name": f"n{n:03}"} for n in range(120)]
        session.execute(insert(Contact), rows)
    bob = organisation.browser("bob")
    first = bob.get("/contacts")
    assert "50 of 120 contacts" in first.text
    assert 'rel="prev"' not in first.text
    second = bob.get(link(first.text, "next"))
    third = bob.get(link(second.text, "next"))
    shown = [re.findall(r'title="(N\d+)"', page.text) for page in (first, second, third)]
    assert [name for page in shown for name in page] == [f"N{n:03}" for n in range(120)]
    assert 'rel="next"' not in third.text
    assert re.findall(r'title="(N\d+)"', bob.get(link(third.text, "prev")).text) == shown[1]


def test_htmx_gets_only_the_list(staffed: Organisation) -> None:
    part = staffed.browser("alice").get("/contacts?q=lee", headers=PART).text
    assert part.lstrip().startswith('<div id="list">')
    assert "<h1" not in part
    assert "Ann Lee" in part


def test_columns_are_chosen_and_kept(staffed: Organisation) -> None:
    ben = staffed.browser("ben")
    assert '<th scope="col">City</th>' not in ben.get("/contacts").text
    chosen = {"columns": ["city", "lead_source", "password_hash"], "next": "/contacts?sort=-name"}
    answer = ben.post("/contacts/columns", chosen)
    assert answer.location == "/contacts?sort=-name"
    page = ben.follow(answer).text
    assert re.findall(r"<th scope=\"col\">([^<]+)</th>", page) == ["Source", "City"]
    assert "Graz" in page
    assert "Email</a>" in staffed.browser("alice").get("/contacts").text


def test_the_way_back_can_not_lead_elsewhere(organisation: Organisation) -> None:
    for target in ("https://evil.example/?q=1", "//evil.example", "/contacts?q=1\r\nSet-Cookie: x=1"):
        answer = organisation.browser("ben").post("/contacts/columns", {"columns": ["city"], "next": target})
        assert answer.location.startswith("/contacts")
        assert "Set-Cookie" not in answer.location


def test_an_empty_list_teaches_and_an_empty_search_says_so(organisation: Organisation) -> None:
    assert "No contacts yet" in organisation.browser("ben").get("/contacts").text
    assert "Nothing found" in organisation.browser("ben").get("/contacts?q=zz").text


def test_every_filter_stands_on_its_page(organisation: Organisation) -> None:
    page = organisation.browser("bob").get("/contacts/filters?owner_id=me").text
    assert '<option value="me" selected>' in page
    for label in ("Tags", "Stage", "Source", "City", "Country", "Created from", "Updated up to"):
        assert label in page


def test_filters_left_empty_leave_the_address(organisation: Organisation) -> None:
    answer = organisation.browser("bob").get("/contacts?q=&city=Graz&owner_id=&sort=-name")
    assert (answer.status_code, answer.location) == (302, "/contacts?city=Graz&sort=-name")


def test_names_are_shown_as_text_never_as_html(organisation: Organisation) -> None:
    organisation.add_contact(first_name='<b onclick="x">"Bold"</b>', email="a@example.com", tags=["<i>"])
    page = organisation.browser("alice").get("/contacts").text
    assert "<b onclick" not in page
    assert "&lt;b onclick" in page


def link(page: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    assert found
    return found[1].replace("&amp;", "&")


def test_phone_numbers_are_shown_in_groups(organisation: Organisation) -> None:
    organisation.add_contact(last_name="Lee", phones=[{"label": "", "number": "+436641234567"}])
    assert "<td>+43 664 1234567</td>" in organisation.browser("bob").get("/contacts").text
