"""Columns of a file that are not imported: shown before it is, those first that say who wants no calls or emails."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qikbiz.crm.schema.registry import record_type
from qikbiz.transfer.imports.column_synonyms import meaning, plain_heading
from qikbiz.transfer.imports.import_context import sample_of
from qikbiz.transfer.imports.mapping import Mapping
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.returned_rows import COLUMNS
from qikbiz.transfer.imports.visibility import visible_cells

_OPT_OUTS = ("do_not_call", "email_opt_out")
# Without spaces, since programs write hasoptedoutofemail, too.
_OPTED_OUT = re.compile(
    r"opt(ed)?out|donot(call|contact|e?mail|fax)|unsubscri|werbesperre|abgemeldet|keinewerbung|keineanrufe"
    r"|nicht(anrufen|kontaktieren)|desabonn|desinscri|nepas(appeler|contacter)"
)
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class UnmappedColumn:
    """A column that is not imported, with the first cells that hold something."""

    heading: str
    examples: list[str]
    is_opt_out: bool


def unmapped_columns(found: Import) -> list[UnmappedColumn]:
    """Those of an import, in the file's order but for the opt-outs, which come first."""
    mapping, visible, rows = Mapping.from_json(found.mapping), visible_cells(found), sample_of(found)
    labels = {column.label_place for column in mapping.columns}
    unmapped = []
    for place, heading in enumerate(found.header):
        if mapping.column_of(place) or place in labels or heading in COLUMNS:
            continue
        cells = [row[place] for row in rows if place < len(row) and row[place].strip()] if visible.shows(place) else []
        shown = visible.headings[place]
        unmapped.append(UnmappedColumn(shown, list(dict.fromkeys(cells))[:_EXAMPLES], is_opt_out(found, heading)))
    return sorted(unmapped, key=lambda column: not column.is_opt_out)


def is_opt_out(found: Import, heading: str) -> bool:
    """Whether a column seems to say who wants no calls, or no emails."""
    known = meaning(record_type(found.record_type), heading)
    squeezed = plain_heading(heading).replace(" ", "")
    return (known is not None and known[0] in _OPT_OUTS) or _OPTED_OUT.search(squeezed) is not None
