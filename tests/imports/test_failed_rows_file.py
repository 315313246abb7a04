"""The file of rows that were not imported holds all that they were, can be corrected, and does nothing as it is."""

from __future__ import annotations

import csv
from uuid import UUID

from qikbiz.transfer.imports.failed_rows import failed_rows
from qikbiz.transfer.imports.queries import import_for_reading
from qikbiz.transfer.imports.returned_rows import reason_if_unchanged
from qikbiz.transfer.imports.visibility import visible_cells
from tests.imports.harness import ImportHarness, csv_text

FILE = (
    "First name,Notes,Email\n"
    'A,"said "hi" to me",a@example.com\n'
    "C,ok,c@example.com,extra1,extra2\n"
    "E,ok,e@example.com\n"
    "F,ok,e@example.com\n"
)


def refused(import_harness: ImportHarness, content: str | bytes) -> tuple[dict[str, int], list[list[str]]]:
    """Import the file. Gives the counts, and the rows of the file of those that were not imported."""
    import_id = import_harness.upload(content)
    import_harness.choose(import_id)
    import_harness.check(import_id)
    return import_harness.apply(import_id), given_back(import_harness, import_id)


def given_back(import_harness: ImportHarness, import_id: UUID) -> list[list[str]]:
    with import_harness.at_work():
        visible = visible_cells(import_for_reading(import_id))
    text = b"".join(failed_rows(import_id, import_harness.at_work, visible)).decode("utf-8-sig")
    return list(csv.reader(text.splitlines(keepends=True)))


def as_file(rows: list[list[str]]) -> str:
    return csv_text(rows[0], rows[1:])


def test_rows_come_back_with_their_cells_and_the_line_as_it_was(import_harness: ImportHarness) -> None:
    _, (header, broken, too_long, double) = refused(import_harness, FILE)
    assert header == ["First name", "Notes", "Email", "Why it was not imported", "The line as it was"]
    assert (broken[0], broken[2], broken[4]) == ("A", "a@example.com", 'A,"said "hi" to me",a@example.com')
    assert "quotation mark" in broken[3]
    assert too_long[:3] == ["C", "ok", "c@example.com"]
    assert too_long[3].startswith("The row has 5 cells") and too_long[4] == "C,ok,c@example.com,extra1,extra2"
    assert (double[0], double[4]) == ("F", "F,ok,e@example.com")
    assert double[3].startswith("Row 4 has the same Email.")


def test_imported_again_as_they_are_they_change_nothing(import_harness: ImportHarness) -> None:
    _, rows = refused(import_harness, FILE)
    counts, again = refused(import_harness, as_file(rows))
    assert [counts[name] for name in ("created", "updated", "unchanged", "invalid")] == [0, 0, 0, 3]
    assert [row[4] for row in again] == [row[4] for row in rows]
    assert all(row[3].startswith("Nothing was changed in this row.") for row in again[1:])
    _, third = refused(import_harness, as_file(again))
    assert [row[:3] + row[4:] for row in third] == [row[:3] + row[4:] for row in rows]
    assert third[1][3].count("Nothing was changed") == 1
    assert [person.first_name for person in import_harness.records()] == ["E"]


def test_corrected_rows_are_imported(import_harness: ImportHarness) -> None:
    _, (header, broken, too_long, double) = refused(import_harness, FILE)
    broken[1], double[2], too_long[4] = 'said "hi" to me', "f@example.com", ""
    counts, _ = refused(import_harness, as_file([header, broken, too_long, double]))
    assert (counts["created"], counts["invalid"]) == (3, 0)
    assert {person.first_name: person.description for person in import_harness.records()} == {
        "A": 'said "hi" to me', "C": "ok", "E": "ok", "F": "ok",
    }  # fmt: skip


def test_a_row_whose_fault_was_elsewhere_needs_no_change_of_its_own(import_harness: ImportHarness) -> None:
    header = ["Last name", "Email", "External ID"]
    for name in ("Lee", "Fox"):
        import_harness.bring_in(csv_text(header, [[name, "office@example.com", name]]), key="external_id")
    _, rows = refused(import_harness, csv_text(["Last name", "Email"], [["Day", "office@example.com"]]))
    assert rows[1][2].startswith("2 contacts have this Email") and rows[1][3] == ""
    with import_harness.at_work() as session:
        session.delete(session.merge(import_harness.records()[0]))
    counts, _ = refused(import_harness, as_file(rows))
    assert (counts["updated"], counts["invalid"]) == (1, 0)


def test_what_a_spreadsheet_changes_by_saving_is_no_change() -> None:
    header = ["Name", "Zip", "Why it was not imported", "The line as it was"]
    line = "Lee;01067"
    assert reason_if_unchanged(header, ["Lee", "1067", "Row 4 has the same name.", line])
    assert not reason_if_unchanged(header, ["Lee", "01069", "Row 4 has the same name.", line])
    assert not reason_if_unchanged(header, ["Lee", "1067", "Row 4 has the same name.", ""])
