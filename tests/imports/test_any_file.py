"""Whatever is in the files: counts add up, each skipped cell is listed, and undone in reverse order nothing is left."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qikbiz.transfer.imports.queries import skipped_cells
from tests.imports.desk import Desk, csv_text
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


def listed(desk: Desk, import_id: UUID) -> dict[int, int]:
    with desk.at_work():
        return {row.row: len(row.problems) for row in skipped_cells(import_id).rows}


@given(files=FILES)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_add_up_and_undoing_in_reverse_restores_every_state(desk: Desk, files: list[list[Any]]) -> None:
    states, done = [whole(desk)], []
    for rows in files:
        if not any(any(row) for row in rows):
            continue
        import_id = desk.upload(csv_text(HEADER, rows))
        desk.choose(import_id, key="email")
        counts = desk.check(import_id)
        kept = [number for number, row in enumerate(rows, start=2) if any(row)]
        assert counts["rows"] == len(kept)
        cells = listed(desk, import_id)
        assert (sum(cells.values()), len(cells)) == (counts["skipped_cells"], counts["skipped_rows"])
        assert set(cells) <= set(kept)
        # Of each row that comes in, exactly the cells that can't be read are listed.
        assert all(number == sum(cell in BAD for cell in rows[row - 2]) for row, number in cells.items())
        desk.apply(import_id)
        done.append(import_id)
        states.append(whole(desk))
    for import_id in reversed(done):
        states.pop()
        undone = desk.undo(import_id)
        assert (undone["kept"], undone["failed"]) == (0, 0)
        assert whole(desk) == states[-1]
