"""What of an import's cells a person may see: all of their own upload, of a colleague's only what their role shows.

A role that hides a field hides it in files too. Of a colleague's file such a person sees the columns that go into
fields they may see; what isn't imported may hold anything, so it stays hidden, and they can't map it anew to see it.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import record_type
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.errors import Forbidden
from qikbiz.transfer.imports.column_synonyms import meaning
from qikbiz.transfer.imports.mapping import FULL_NAME, Mapping
from qikbiz.transfer.imports.models import Import

HIDDEN_REASON = "Your role hides what this column holds."


@dataclass(frozen=True)
class VisibleCells:
    """`places` are the visible columns, None for all; `shows_key` is whether what finds records may be seen.

    `headings` are those of the file, but for hidden columns only where they are words that everybody knows: in a file
    without headings its first row stands there.
    """

    header: tuple[str, ...]
    headings: tuple[str, ...]
    places: frozenset[int] | None
    shows_key: bool

    @property
    def is_everything(self) -> bool:
        return self.places is None

    def shows(self, place: int) -> bool:
        return self.places is None or place in self.places

    def kept(self, cells: Sequence[str]) -> list[str]:
        """The cells of a row, those hidden left empty."""
        if self.places is None:
            return list(cells)
        return [cell if place in self.places else "" for place, cell in enumerate(cells)]

    def problem(self, problem: AnyMapping[str, str]) -> dict[str, str]:
        """A problem of a row as this person may read it."""
        if self.places is None or self._shows_column(problem):
            return dict(problem)
        heading = problem["column"]
        shown = self.headings[self.header.index(heading)] if heading in self.header else ""
        hidden = {"value": "", "reason": HIDDEN_REASON, "how_to_fix": "Ask the user who uploaded the file."}
        return {**problem, "column": shown, **hidden}

    def _shows_column(self, problem: AnyMapping[str, str]) -> bool:
        heading = problem["column"]
        if not heading:
            return self.shows_key or not problem["value"]
        return any(heading == self.header[place] for place in self.places or () if place < len(self.header))


def visible_cells(found: Import) -> VisibleCells:
    """For whoever acts."""
    declared = record_type(found.record_type)
    wanted, header = visible_type(declared), tuple(found.header)
    if is_own_upload(found) or not hides_fields(declared, wanted):
        return VisibleCells(header, header, None, shows_key=True)
    mapped = Mapping.from_json(found.mapping).columns
    places = {column.place for column in mapped if column.field == FULL_NAME or wanted.has_field(column.field)}
    headings = tuple(
        heading if place in places or meaning(declared, heading) is not None else f"Column {place + 1}"
        for place, heading in enumerate(header)
    )
    return VisibleCells(header, headings, frozenset(places), shows_key=found.key_field in wanted.key_fields)


def require_whole_file(found: Import) -> None:
    """Raises Forbidden for whoever may not see every cell: to read the file anew could show what is hidden."""
    if not visible_cells(found).is_everything:
        raise Forbidden(
            "This file has columns that your role hides. Ask the user who uploaded it to change the format."
        )


def is_own_upload(found: Import) -> bool:
    actor = current_actor()
    return actor.kind == "user" and found.actor_kind == "user" and actor.id is not None and actor.id == found.created_by


def hides_fields(declared: RecordType, wanted: RecordType) -> bool:
    return any(not wanted.has_field(field.name) for field in declared.fields)


def shown_row(row: Any, visible: VisibleCells, problems: Sequence[AnyMapping[str, str]]) -> dict[str, Any]:
    """A row of a report: its number and its problems as this person may read them."""
    return {"row": row.row, "problems": [visible.problem(problem) for problem in problems]}
