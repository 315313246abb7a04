"""Hidden fields are nowhere; read-only ones are shown and refused."""

from __future__ import annotations

import pytest

from qikbiz.kernel.permissions import Permission
from qikbiz.kernel.rights import Rights
from tests.fixtures.roles import ruled

pytestmark = pytest.mark.promise("P15")
ALL = Rights.of(see="all", create="all", change="all", delete="all")
SECRETS = ("secret@ann.example", "+49301234567", "Hidden Works", "hush hush")


@pytest.fixture
def ann(staffed, rows_of):
    organisation = staffed.organisation
    staffed.join(
        "cleo", ruled(ALL, emails="hidden", phones="hidden", company_name="hidden", description="hidden",
                      job_title="read-only", birthdate="read-only", owner_id="read-only", tags="read-only")
    )  # fmt: skip
    ann = organisation.add_contact(
        first_name="Ann", last_name="Lee", job_title="Buyer", email=SECRETS[0], phone=SECRETS[1],
        company_name="Hidden Works", company_id=None, description=SECRETS[3],
    )  # fmt: skip
    alice = organisation.browser("alice")
    version = rows_of(organisation.tenant, "select version from contacts where id = :id", id=ann)[0]["version"]
    alice.post(f"/contacts/{ann}/fields/description", {"description": "hush hush more", "version": str(version)})
    return ann


def test_a_hidden_field_is_on_no_page(staffed, ann):
    cleo = staffed.organisation.browser("cleo")
    for path in (
        "/contacts", "/contacts?sort=-updated_at", f"/contacts/{ann}", f"/contacts/{ann}?tab=details",
        f"/contacts/{ann}/edit", "/contacts/new", "/contacts/filters", "/search?q=Ann", "/contacts/suggestions?q=Ann",
        "/contacts/trash", "/",
    ):  # fmt: skip
        text = cleo.get(path).text
        assert not [secret for secret in SECRETS if secret in text or "30 1234567" in text], path
    assert 'name="emails' not in cleo.get("/contacts/new").text
    assert "company_name" not in cleo.get("/contacts/filters").text


TYPED = ("secret", "secret@ann.example", "ann.example", "0301234567", "Hidden", "hi")


def test_searching_does_not_tell_a_hidden_value(staffed, ann, subtests):
    alice, cleo = staffed.organisation.browser("alice"), staffed.organisation.browser("cleo")
    for typed in TYPED:
        with subtests.test(typed):
            assert "Ann Lee" in alice.get(f"/contacts?q={typed}").text
            for path in ("/contacts?q=", "/search?q=", "/contacts/suggestions?q="):
                assert "Ann Lee" not in cleo.get(path + typed).text, path
            assert "Ann Lee" in cleo.get("/contacts?q=Ann").text
            assert "Ann Lee" in cleo.get("/contacts?q=le").text


def test_a_filter_or_an_order_by_a_hidden_field_is_not_there(staffed, ann):
    staffed.organisation.add_contact(first_name="Zoe", email="a@zoe.example")
    cleo = staffed.organisation.browser("cleo")
    assert "Ann Lee" in cleo.get("/contacts?email=no").text
    assert cleo.get("/contacts?sort=email").status_code == 400


def test_a_contact_known_only_by_a_hidden_value_has_no_name(staffed, ann):
    staffed.organisation.add_contact(email="only@address.example")
    cleo = staffed.organisation.browser("cleo")
    for path in ("/contacts", "/", "/contacts?sort=-name"):
        text = cleo.get(path).text
        assert "only@address" not in text and "No name" in text


def test_the_cursor_of_a_page_does_not_carry_a_hidden_value(staffed, ann, rows_of):
    import base64
    import re

    for number in range(60):
        staffed.organisation.add_contact(email=f"cursor{number:02}@address.example")
    page = staffed.organisation.browser("cleo").get("/contacts").text
    cursors = re.findall(r"after=([A-Za-z0-9_%-]+)", page)
    assert cursors
    for cursor in cursors:
        decoded = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        assert b"address" not in decoded


SLIPPED_IN = (
    ({"job_title": "Boss"}, "job_title"),
    ({"emails-0-address": "x@y.example"}, "emails-0-address"),
    ({"description": "x"}, "description"),
    ({"owner_id": ""}, "owner_id"),
    ({"company_name": "Elsewhere"}, "company_name"),
)


def test_slipping_in_a_field_that_may_not_be_written_is_refused_by_its_name(staffed, ann, rows_of, subtests):
    cleo = staffed.organisation.browser("cleo")
    for form, named in SLIPPED_IN:
        with subtests.test(named):
            for path, more in ((f"/contacts/{ann}/edit", {"version": "2"}), ("/contacts", {})):
                refused = cleo.post(path, {"first_name": "Ann", **more, **form})
                assert refused.status_code == 400 and named in refused.text
            assert rows_of(staffed.organisation.tenant, "select job_title from contacts")[0]["job_title"] == "Buyer"


def test_a_read_only_field_is_shown_without_its_pencil(staffed, ann):
    cleo = staffed.organisation.browser("cleo")
    page = cleo.get(f"/contacts/{ann}").text
    assert "Buyer" in page and "Change Job title" not in page and "Change Stage" in page
    assert cleo.get(f"/contacts/{ann}/fields/job_title").status_code == 403
    assert cleo.post(f"/contacts/{ann}/fields/job_title", {"job_title": "X", "version": "2"}).status_code == 403
    assert cleo.get(f"/contacts/{ann}/fields/description").status_code == 404
    assert cleo.post("/contacts/several", {"ids": [ann], "act": "tag", "tag": "New"}).status_code in (400, 404)


def test_saving_keeps_what_was_hidden(staffed, ann, rows_of):
    cleo = staffed.organisation.browser("cleo")
    version = rows_of(staffed.organisation.tenant, "select version from contacts where id = :id", id=ann)[0]["version"]
    form = {"first_name": "Anne", "last_name": "Lee", "version": str(version)}
    assert cleo.post(f"/contacts/{ann}/edit", form).status_code == 303
    query = "select first_name, email, phone, company_name, description, job_title from contacts where id = :id"
    kept = rows_of(staffed.organisation.tenant, query, id=ann)[0]
    assert list(kept.values()) == ["Anne", SECRETS[0], SECRETS[1], "Hidden Works", "hush hush more", "Buyer"]


def test_the_history_tells_of_no_hidden_change(staffed, ann):
    alice, cleo = staffed.organisation.browser("alice"), staffed.organisation.browser("cleo")
    assert "hush hush more" in alice.get(f"/contacts/{ann}").text
    assert "hush" not in cleo.get(f"/contacts/{ann}").text


def test_the_audit_tells_of_no_hidden_value_either(staffed, ann):
    hidden = ruled(Rights.of(see="all", pages=[Permission.AUDIT_SEE]), emails="hidden", description="hidden")
    staffed.join("dan", hidden)
    staffed.organisation.add_contact(email="only@address.example")
    alice, dan = staffed.organisation.browser("alice"), staffed.organisation.browser("dan")
    everything = alice.get("/audit").text
    assert "hush hush more" in everything and "only@address.example" in everything
    page = dan.get("/audit").text
    assert "Contact: changed" in page
    assert not [secret for secret in ("hush", SECRETS[0], "only@address") if secret in page]
