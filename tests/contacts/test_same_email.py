"""Saving a contact whose email another one has too says so, with the way to it, and refuses nothing."""

from __future__ import annotations

from collections.abc import Callable

from qikbiz.kernel.rights import Rights
from tests.fixtures.roles import Staffed, ruled
from tests.fixtures.web import Browser
from tests.fixtures.world import Organisation

TOLD = "Another contact has the same email"


def save_new(browser: Browser, **values: str) -> str:
    """The page after a new contact was saved by the form."""
    answer = browser.post("/contacts", {"first_name": "Ann", "emails-0-address": "ann@example.com", **values})
    assert answer.status_code == 303, answer.text
    return browser.follow(answer).text


def test_a_second_contact_with_the_email_is_saved_and_the_first_one_named(organisation: Organisation) -> None:
    first = organisation.add_contact(first_name="Anna", last_name="Leitner", email="ann@example.com")
    page = save_new(organisation.browser("ben"), **{"emails-0-address": "Ann@Example.com"})
    assert f"{TOLD}.</p>" in page
    assert f'href="/contacts/{first}">Open Anna Leitner</a>' in page and "data-toast-stays" in page
    assert TOLD not in organisation.browser("ben").get("/contacts").text


def test_the_tenth_is_told_of_the_oldest_among_others(organisation: Organisation) -> None:
    ben = organisation.browser("ben")
    pages = [save_new(ben, first_name=f"Ann{number}") for number in range(4)]
    assert [TOLD in page for page in pages] == [False, True, True, True]
    assert f"{TOLD} among others." in pages[3] and "Open Ann0" in pages[3]


def test_a_further_email_counts_on_either_side(organisation: Organisation) -> None:
    addresses = [{"label": "", "address": address} for address in ("o@x.example", "ann@example.com")]
    organisation.add_contact(first_name="Otto", emails=addresses)
    assert "Open Otto" in save_new(organisation.browser("ben"))
    two = {"emails-0-address": "b@x.example", "emails-1-address": "o@x.example"}
    assert "Open Otto" in save_new(organisation.browser("ben"), **two)


def test_an_edit_says_it_too_and_saving_without_a_change_does_not(organisation: Organisation) -> None:
    organisation.add_contact(first_name="Anna", email="ann@example.com")
    other = organisation.add_contact(first_name="Otto", email="otto@example.com")
    ben = organisation.browser("ben")
    form = {"version": "1", "first_name": "Otto", "emails-0-address": "ann@example.com"}
    assert "Open Anna" in ben.follow(ben.post(f"/contacts/{other}/edit", form)).text
    again = ben.follow(ben.post(f"/contacts/{other}/edit", {**form, "version": "2"})).text
    assert "Nothing was changed." in again and TOLD not in again


def test_nothing_is_told_of_the_trash_or_of_another_organisation(
    organisation: Organisation, client_for: Callable[[str], Browser]
) -> None:
    gone = organisation.add_contact(first_name="Gone", email="ann@example.com")
    organisation.browser("alice").post(f"/contacts/{gone}/deletion")
    assert TOLD not in save_new(client_for("mallory"), **{"emails-0-address": "only@here.example"})
    assert TOLD not in save_new(organisation.browser("ben"), **{"emails-0-address": "only@here.example"})
    assert TOLD not in save_new(organisation.browser("ben"))


def test_nobody_is_told_of_a_record_that_they_may_not_see(staffed: Staffed) -> None:
    staffed.join("cleo", Rights.of(see="own", create="own", change="own"))
    organisation = staffed.organisation
    theirs = {"alices": staffed.id("alice"), "cleos": staffed.id("cleo")}
    organisation.add_contact(first_name="Hidden", email="ann@example.com", owner_id=theirs["alices"])
    assert TOLD not in save_new(organisation.browser("cleo"), first_name="First")
    assert "Open First" in save_new(organisation.browser("cleo"), first_name="Second")


def test_nobody_is_told_by_an_address_that_they_may_not_see(staffed: Staffed) -> None:
    organisation = staffed.organisation
    organisation.add_contact(first_name="Anna", email="ann@example.com")
    contact = organisation.add_contact(first_name="Otto", email="ann@example.com")
    everything = Rights.of(see="all", create="all", change="all")
    staffed.join("cleo", ruled(everything, email="hidden", emails="hidden"))
    cleo = organisation.browser("cleo")
    page = cleo.follow(cleo.post(f"/contacts/{contact}/edit", {"version": "1", "first_name": "Ottokar"})).text
    assert "Saved." in page and TOLD not in page
