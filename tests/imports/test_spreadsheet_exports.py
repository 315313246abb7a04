"""A spreadsheet export of ours comes back as it was: the apostrophes that keep formulas from running are removed."""

from __future__ import annotations

import io

from qikbiz.transfer.imports import actions
from qikbiz.transfer.imports.import_context import format_of
from qikbiz.transfer.imports.queries import import_for_changing
from tenants.control import new_id
from tests.fixtures.web import Browser
from tests.imports.harness import ImportHarness, csv_text
from tests.imports.test_wizard import alice, upload

__all__ = ["alice"]
TEXT = csv_text(["First name", "Last name", "Email"], [["'=1+1", "''Lee", "ann@example.com"]])


def test_it_is_known_by_its_name_or_by_what_the_person_says(import_harness: ImportHarness) -> None:
    with import_harness.at_work():
        known = actions.start_import(new_id(), "contacts", "contacts.spreadsheet.csv", io.BytesIO(TEXT.encode())).id
        told = actions.start_import(new_id(), "contacts", "people.csv", io.BytesIO(TEXT.encode())).id
        assert format_of(import_for_changing(known)).is_formula_safe
        assert not format_of(import_for_changing(told)).is_formula_safe
        actions.choose_format(
            import_for_changing(told), encoding="utf-8", delimiter=",", has_header=True, is_formula_safe=True
        )
    for import_id in (known, told):
        import_harness.choose(import_id)
        import_harness.check(import_id)
    import_harness.apply(known)
    person = import_harness.only()
    assert (person.first_name, person.last_name) == ("=1+1", "'Lee")
    assert import_harness.check(told)["unchanged"] == 1


def test_other_files_keep_their_apostrophes(import_harness: ImportHarness) -> None:
    import_harness.bring_in(TEXT)
    assert import_harness.only().first_name == "'=1+1"


def test_the_format_page_shows_the_rows_as_they_will_be_read(alice: Browser) -> None:
    import_id, _ = upload(alice, TEXT.encode())
    assert "&#39;=1" in alice.get(f"/imports/{import_id}/format").text
    sent = {"encoding": "utf-8", "delimiter": ",", "has_header": "1", "is_formula_safe": "1", "act": "preview"}
    alice.post(f"/imports/{import_id}/format", sent)
    page = alice.get(f"/imports/{import_id}/format").text
    assert "&#39;=1" not in page
    assert "=1+1" in page
