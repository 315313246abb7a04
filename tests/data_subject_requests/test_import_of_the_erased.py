"""A file that would bring somebody back who was erased: the check says so, and the organisation decides."""

from __future__ import annotations

import pytest
from flask import Flask

from qikbiz.kernel.actors import Actor
from tests.data_subject_requests.test_rights_of_a_person import erase
from tests.fixtures.records import Office
from tests.imports.desk import Desk, csv_text

pytestmark = pytest.mark.promise("P6")
NAME = {"first_name": "Zaphod", "last_name": "Beeblebrox"}


@pytest.fixture
def desk(app: Flask, office: Office) -> Desk:
    alice = office.people["alice"]
    return Desk(app, office.tenant, Actor("user", alice.id, alice.name))


def erased_rows(desk: Desk, content: str) -> int:
    import_id = desk.upload(content)
    desk.choose(import_id)
    desk.check(import_id)
    return int(desk.found(import_id).counts["erased"])


def test_the_check_warns_of_every_address_however_it_is_written(office: Office, desk: Desk) -> None:
    erase(office, office.add_contact(**NAME, emails=[{"label": "", "address": "z@example.com"},
                                                    {"label": "", "address": "second@example.com"}]))  # fmt: skip
    header = ("First name", "E-mail", "E-mail 2")
    rows = [("Z", "Z@Example.com", ""), ("Other", "o@example.com", ""), ("Z2", "x@example.com", "second@example.com")]
    assert erased_rows(desk, csv_text(header, rows)) == 2
    assert erased_rows(desk, csv_text(header, rows[1:2])) == 0


def test_it_may_be_imported_all_the_same(office: Office, desk: Desk) -> None:
    erase(office, office.add_contact(**NAME, email="z@example.com"))
    import_id = desk.upload(csv_text(("First name", "E-mail"), [("Z", "z@example.com")]))
    desk.choose(import_id)
    desk.check(import_id)
    page = office.browser("alice").get(f"/imports/{import_id}").text
    assert "People who were erased" in page and "1 row names somebody" in page
    desk.apply(import_id)
    assert desk.only().email == "z@example.com"


def test_nobody_is_warned_where_nobody_was_erased(office: Office, desk: Desk) -> None:
    assert erased_rows(desk, csv_text(("First name", "E-mail"), [("Z", "z@example.com")])) == 0
    assert erased_rows(desk, csv_text(("First name", "E-mail"), [("Z", "z%40@example.com"), ("B", "")])) == 0
