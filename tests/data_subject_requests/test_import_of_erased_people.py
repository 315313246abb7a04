"""A file that holds a person who was erased: the check says so, and the organisation decides."""

from __future__ import annotations

import pytest
from flask import Flask

from qikbiz.kernel.actors import Actor
from tests.data_subject_requests.test_report_and_erasure import erase
from tests.fixtures.world import Organisation
from tests.imports.harness import ImportHarness, csv_text

pytestmark = pytest.mark.promise("P6")
NAME = {"first_name": "Zaphod", "last_name": "Beeblebrox"}


@pytest.fixture
def import_harness(app: Flask, organisation: Organisation) -> ImportHarness:
    alice = organisation.people["alice"]
    return ImportHarness(app, organisation.tenant, Actor("user", alice.id, alice.name))


def erased_rows(import_harness: ImportHarness, content: str) -> int:
    import_id = import_harness.upload(content)
    import_harness.choose(import_id)
    import_harness.check(import_id)
    return int(import_harness.found(import_id).counts["erased"])


def test_the_check_warns_of_every_address_however_it_is_written(
    organisation: Organisation, import_harness: ImportHarness
) -> None:
    erase(organisation, organisation.add_contact(**NAME, emails=[{"label": "", "address": "z@example.com"},
                                                    {"label": "", "address": "second@example.com"}]))  # fmt: skip
    header = ("First name", "E-mail", "E-mail 2")
    rows = [("Z", "Z@Example.com", ""), ("Other", "o@example.com", ""), ("Z2", "x@example.com", "second@example.com")]
    assert erased_rows(import_harness, csv_text(header, rows)) == 2
    assert erased_rows(import_harness, csv_text(header, rows[1:2])) == 0


def test_it_may_be_imported_all_the_same(organisation: Organisation, import_harness: ImportHarness) -> None:
    erase(organisation, organisation.add_contact(**NAME, email="z@example.com"))
    import_id = import_harness.upload(csv_text(("First name", "E-mail"), [("Z", "z@example.com")]))
    import_harness.choose(import_id)
    import_harness.check(import_id)
    page = organisation.browser("alice").get(f"/imports/{import_id}").text
    assert "People who were erased" in page and "1 row names a person" in page
    import_harness.apply(import_id)
    assert import_harness.only().email == "z@example.com"


def test_nobody_is_warned_where_nobody_was_erased(organisation: Organisation, import_harness: ImportHarness) -> None:
    assert erased_rows(import_harness, csv_text(("First name", "E-mail"), [("Z", "z@example.com")])) == 0
    assert erased_rows(import_harness, csv_text(("First name", "E-mail"), [("Z", "z%40@example.com"), ("B", "")])) == 0
