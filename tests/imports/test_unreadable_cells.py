"""A cell that can't be read is skipped and listed; the row comes in without it, unless the person chose otherwise."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from provisioning.cell_policy_options import policy_from_options
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.kernel.errors import NotFound
from qikbiz.transfer.imports import actions
from qikbiz.transfer.imports.cell_choices import UnknownValue, policy_from, unreadable_columns
from qikbiz.transfer.imports.cell_policy import REFUSE, SKIP, CellPolicy
from qikbiz.transfer.imports.converting import Converter
from qikbiz.transfer.imports.csv_dialect import Format
from qikbiz.transfer.imports.mapping import guess
from qikbiz.transfer.imports.plans import Plan
from qikbiz.transfer.imports.queries import import_for_changing, import_for_reading, invalid_rows, skipped_cells
from tests.imports.harness import ImportHarness, csv_text

HEADER = ["First name", "Email", "Phone", "Country", "Stage", "Birthday"]
ANN = ["Ann", "ann@example.com", "n/a", "Atlantis", "Lead", "0.13.00"]
BO = ["Bo", "bo@example.com", "+1 202 555 0143", "Austria", "hot", ""]


def checked(
    import_harness: ImportHarness, content: str, cells: CellPolicy | None = None, **choices: Any
) -> tuple[UUID, dict[str, int]]:
    import_id = import_harness.upload(content)
    import_harness.choose(import_id, **choices)
    if cells is not None:
        with import_harness.at_work():
            actions.choose_cell_policy(import_for_changing(import_id), cells)
    return import_id, import_harness.check(import_id)


def listed(import_harness: ImportHarness, import_id: UUID, read: Any = skipped_cells) -> list[tuple[int, str, str]]:
    with import_harness.at_work():
        rows = read(import_id).rows
    return [(row.row, problem["column"], problem["value"]) for row in rows for problem in row.problems]


def test_a_bad_cell_is_skipped_and_listed_and_the_rest_of_the_row_comes_in(import_harness: ImportHarness) -> None:
    import_id, counts = checked(import_harness, csv_text(HEADER, [ANN, BO]))
    assert (counts["created"], counts["invalid"], counts["skipped_cells"], counts["skipped_rows"]) == (2, 0, 4, 2)
    wanted = [(2, "Country", "Atlantis"), (2, "Birthday", "0.13.00"), (2, "Phone", "n/a"), (3, "Stage", "hot")]
    assert sorted(listed(import_harness, import_id)) == sorted(wanted)
    import_harness.apply(import_id)
    ann, bo = import_harness.records()
    assert (ann.first_name, ann.phone, ann.country, ann.lifecycle_stage, ann.birthdate) == (
        "Ann", None, None, "Lead", None,
    )  # fmt: skip
    assert (bo.country, bo.lifecycle_stage) == ("AT", None)
    # The list outlives the import; the staged rows that had nothing to say don't.
    assert sorted(listed(import_harness, import_id)) == sorted(wanted)


def test_a_bad_cell_changes_nothing_in_a_record_that_exists(import_harness: ImportHarness) -> None:
    import_harness.bring_in(csv_text(HEADER, [BO]))
    _, counts = checked(import_harness, csv_text(HEADER, [["Bo", "bo@example.com", "none", "??", "hot", "soon"]]))
    assert (counts["unchanged"], counts["skipped_cells"]) == (1, 4)


def test_a_column_can_refuse_its_rows_and_the_others_still_skip(import_harness: ImportHarness) -> None:
    import_id, counts = checked(import_harness, csv_text(HEADER, [ANN, BO]), CellPolicy({4: REFUSE}))
    assert (counts["created"], counts["invalid"], counts["skipped_cells"]) == (1, 1, 3)
    assert listed(import_harness, import_id, invalid_rows) == [(3, "Stage", "hot")]
    _, counts = checked(import_harness, csv_text(HEADER, [ANN, BO]), CellPolicy(default=REFUSE))
    assert (counts["created"], counts["invalid"], counts["skipped_cells"]) == (0, 2, 0)


def test_values_can_be_mapped_without_regard_to_case_and_kept_out_of_other_columns(
    import_harness: ImportHarness,
) -> None:
    cells = CellPolicy(values={3: {"atlantis": "GR"}, 4: {"hot": "Opportunity"}})
    import_id, counts = checked(import_harness, csv_text(HEADER, [[*ANN[:3], " ATLANTIS ", *ANN[4:]], BO]), cells)
    assert (counts["created"], counts["skipped_cells"]) == (2, 2)
    import_harness.apply(import_id)
    ann, bo = import_harness.records()
    assert (ann.country, bo.lifecycle_stage) == ("GR", "Opportunity")


def test_without_its_key_a_row_is_refused_until_the_person_says_otherwise(import_harness: ImportHarness) -> None:
    rows = [["Ann", "nobody", "", "", "", ""], BO]
    import_id, counts = checked(import_harness, csv_text(HEADER, rows))
    assert (counts["created"], counts["invalid"]) == (1, 1)
    assert listed(import_harness, import_id, invalid_rows) == [(2, "Email", "nobody")]
    _, counts = checked(import_harness, csv_text(HEADER, rows), CellPolicy({1: SKIP}))
    assert (counts["created"], counts["invalid"], counts["skipped_cells"]) == (2, 0, 2)


def test_a_row_that_is_nothing_but_bad_cells_is_refused_with_all_its_reasons(import_harness: ImportHarness) -> None:
    import_id, counts = checked(import_harness, csv_text(["External ID", "Phone", "Birthday"], [["1", "n/a", "soon"]]))
    assert (counts["invalid"], counts["skipped_cells"]) == (1, 0)
    assert [column for _, column, _ in listed(import_harness, import_id, invalid_rows)] == ["Birthday", "Phone", ""]


def test_of_several_addresses_those_that_can_be_read_come_in(import_harness: ImportHarness) -> None:
    rows = [
        ["A", "a@example.com, a2@example.com"],
        ["B", "b@example.com / b2@example.com"],
        ["C", "c@example.com; nobody"],
        ["D", "Lee, Dee <d@example.com>"],
    ]
    import_id, counts = checked(import_harness, csv_text(["Name", "Email"], rows))
    assert (counts["created"], counts["skipped_cells"]) == (4, 1)
    assert listed(import_harness, import_id) == [(4, "Email", "nobody")]
    import_harness.apply(import_id)
    found = {record.last_name: [record.email, *record.other_emails] for record in import_harness.records()}
    assert found == {
        "A": ["a@example.com", "a2@example.com"],
        "B": ["b@example.com", "b2@example.com"],
        "C": ["c@example.com"],
        "D": ["d@example.com"],
    }


def test_a_company_name_that_several_have_is_a_cell_like_others(import_harness: ImportHarness) -> None:
    import_harness.bring_in(csv_text(["Name", "Domain"], [["Acme", "a.example"], ["ACME", "b.example"]]), "companies")
    header = ["Email", "Last name", "Company"]
    rows = [["ann@example.com", "Lee", "acme"], ["bo@example.com", "Day", "Beta"]]
    _, counts = checked(import_harness, csv_text(header, rows), CellPolicy({2: REFUSE}))
    assert (counts["created"], counts["invalid"], counts["skipped_cells"]) == (1, 1, 0)
    import_id, counts = checked(import_harness, csv_text(header, rows))
    assert (counts["created"], counts["invalid"], counts["skipped_cells"]) == (2, 0, 1)
    assert listed(import_harness, import_id) == [(2, "Company", "acme")]
    import_harness.apply(import_id)
    assert {one.last_name: one.company_name for one in import_harness.records()} == {"Day": "Beta", "Lee": None}
    assert len(import_harness.records("companies")) == 3


def test_where_the_company_finds_the_record_an_unsure_one_refuses_the_row_until_said_otherwise(
    import_harness: ImportHarness,
) -> None:
    import_harness.bring_in(csv_text(["Name", "Domain"], [["Acme", "a.example"], ["ACME", "b.example"]]), "companies")
    header = ["First name", "Last name", "Company", "Job title"]
    import_harness.bring_in(csv_text(header, [["Ann", "Lee", "", "Chief"]]), key="name_company")
    rows = [["Ann", "Lee", "Acme", "Cook"]]
    import_id, counts = checked(import_harness, csv_text(header, rows), key="name_company")
    assert (counts["updated"], counts["created"], counts["invalid"]) == (0, 0, 1)
    assert listed(import_harness, import_id, invalid_rows) == [(2, "Company", "Acme")]
    _, counts = checked(
        import_harness, csv_text(header, [*rows, ["Ann", "Lee", "", ""]]), CellPolicy({2: SKIP}), key="name_company"
    )
    # Two rows that now name the same person: the second is refused as any double is.
    assert (counts["updated"], counts["invalid"], counts["skipped_cells"]) == (1, 1, 1)


def test_choosing_other_columns_forgets_what_was_chosen_for_them(import_harness: ImportHarness) -> None:
    import_id, _ = checked(import_harness, csv_text(HEADER, [ANN]), CellPolicy({3: REFUSE, 4: REFUSE}))
    with import_harness.at_work():
        found = import_for_changing(import_id)
        moved = {**found.mapping, "4": {"field": "job_title", "label": "", "label_place": None}}
    import_harness.choose(import_id, columns=moved)
    with import_harness.at_work():
        assert import_for_reading(import_id).options["cell_policy"] == {"policies": {"3": REFUSE}}


def test_what_can_be_chosen_is_offered_and_nothing_else_is_taken(import_harness: ImportHarness) -> None:
    import_id, _ = checked(import_harness, csv_text(HEADER, [ANN, BO]))
    with import_harness.at_work():
        found = import_for_reading(import_id)
        columns = {one.heading: one for one in unreadable_columns(found)}
        assert list(columns) == ["Phone", "Country", "Stage", "Birthday"]
        assert [value.written for value in columns["Country"].values] == ["Atlantis"]
        assert ("GR", "Greece") in columns["Country"].choices and not columns["Phone"].choices
        form = {"policy-2": REFUSE, "policy-3": SKIP, "written-3-0": "Atlantis", "value-3-0": "GR"}
        assert policy_from(form, found) == CellPolicy({2: REFUSE, 3: SKIP}, {3: {"atlantis": "GR"}})
        with pytest.raises(UnknownValue):
            policy_from({**form, "value-3-0": "Narnia"}, found)


def test_the_second_reader_is_told_what_was_chosen() -> None:
    header = ["Email", "Stage"]
    plan = Plan("contacts", Format("utf-8", ","), guess(RECORD_TYPES["contacts"], header), "email", "upsert")
    plan = Plan(*(getattr(plan, name) for name in ("type_name", "shape", "mapping", "key", "mode")),
                cells=CellPolicy({1: REFUSE}, {1: {"hot": "Lead"}}))  # fmt: skip
    converter = Converter(Plan.from_json(plan.as_json()), header)
    assert converter.convert(["a@example.com", "HOT"]).values["lifecycle_stage"] == "Lead"
    assert converter.convert(["a@example.com", "cold"]).problems


def test_the_command_takes_the_same_choices_in_words(import_harness: ImportHarness) -> None:
    import_id = import_harness.upload(csv_text(HEADER, [ANN, BO]))
    with import_harness.at_work():
        found = import_for_reading(import_id)
        given = policy_from_options(
            found, ["skip", "Phone=refuse"], ["Stage:hot=Opportunity", "Country:Atlantis: sunken=GR"]
        )
        assert given == CellPolicy(
            {2: REFUSE}, {3: {"atlantis: sunken": "GR"}, 4: {"hot": "Opportunity"}}, default=SKIP
        )
        for unreadable, values, saying in (
            (["ignore"], [], "takes skip or refuse"),
            (["Fax=skip"], [], "no column “Fax”"),
            ([], ["Stage=Lead"], "COLUMN:WRITTEN=VALUE"),
            ([], ["Stage:hot=Boiling"], "isn't a valid option"),
            ([], ["Phone:n/a=+12025550143"], "can't be mapped"),
        ):
            with pytest.raises(NotFound, match=saying):
                policy_from_options(found, unreadable, values)
