"""Random files: counts add up, each skipped cell is listed, and undone in reverse order nothing is left."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qikbiz.transfer.imports.queries import skipped_cells
from tests.imports.harness import ImportHarness, csv_text
from tests.imports.test_undo import whole

HEADER = ["First name", "Email", "Phone", "Country", "Stage", "Birthday", "Company", "Do not call"]
# For each column values that can be read and, last, one that can't.
CELLS = [
    st.sampled_from(["", "Ann", "Bo", "x" * 101]),
    st.sampled_from(["", "a@any.example", "b@any.example", "c@any.example; nobody", "nobody"]),
    st.sampled_from(["", "+12025550143", "+12025550144; n/a", "n/a"]),
    st.sampled_from(["", "AT", "Atlantis"]),
    st.sampled_from(["", "Lead", "hot"]),
    st.sampled_from(["", "1980-02-03", "0.13.00"]),
    st.sampled_from(["", "Acme", "Globex", "y" * 201]),
    st.sampled_from(["", "yes", "maybe"]),
]
_LISTS = {"c@any.example; nobody", "+12025550144; n/a"}
BAD = {"x" * 101, "nobody", "n/a", "Atlantis", "hot", "0.13.00", "y" * 201, "maybe", *_LISTS}
FILES = st.lists(st.lists(st.tuples(*CELLS), min_size=1, max_size=5), min_size=1, max_size=3)


def listed(import_harness: ImportHarness, import_id: UUID) -> dict[int, int]:
    with import_harness.at_work():
        return {row.row: len(row.problems) for row in skipped_cells(import_id).rows}


@given(files=FILES)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_add_up_and_undoing_in_reverse_restores_every_state(
    import_harness: ImportHarness, files: list[list[Any]]
) -> None:
    states, done = [whole(import_harness)], []
    for rows in files:
        if not any(any(row) for row in rows):
            continue
        import_id = import_harness.upload(csv_text(HEADER, rows))
        import_harness.choose(import_id, key="email")
        counts = import_harness.check(import_id)
        kept = [number for number, row in enumerate(rows, start=2) if any(row)]
        assert counts["rows"] == len(kept)
        cells = listed(import_harness, import_id)
        assert (sum(cells.values()), len(cells)) == (counts["skipped_cells"], counts["skipped_rows"])
        assert set(cells) <= set(kept)
        # Of each row that comes in, exactly the cells that can't be read are listed.
        assert all(number == sum(cell in BAD for cell in rows[row - 2]) for row, number in cells.items())
        import_harness.apply(import_id)
        done.append(import_id)
        states.append(whole(import_harness))
    for import_id in reversed(done):
        states.pop()
        undone = import_harness.undo(import_id)
        assert (undone["kept"], undone["failed"]) == (0, 0)
        assert whole(import_harness) == states[-1]
