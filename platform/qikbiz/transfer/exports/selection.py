"""What one export holds, in which product.

*Portable* keeps every value exactly and can be restored. *Spreadsheet* is for reading in Excel or LibreOffice: labels
as headings, names beside ids, times in the reader's zone, and text that a spreadsheet would run as a formula marked
with an apostrophe, which an import can remove (docs/decisions/0004-exports.md). The two are never mixed in one file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from qikbiz.crm.schema.field import Viewer
from qikbiz.kernel.permissions import Action
from qikbiz.kernel.rights import NOTHING, Rights
from qikbiz.transfer.exports.catalogue import EVERYTHING

PORTABLE, SPREADSHEET = "portable", "spreadsheet"
# The parameter of a list's address that says its order.
SORT = "sort"
PRODUCTS = (PORTABLE, SPREADSHEET)
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Selection:
    """What somebody asked for. `filters` are the parameters of the record type's list, as in its address.

    `rights` decide which records and which columns it holds; without them it holds none.
    """

    scope: str = EVERYTHING
    product: str = PORTABLE
    filters: Mapping[str, Sequence[str]] | None = None
    columns: tuple[str, ...] = ()
    rights: Rights = NOTHING
    zone: ZoneInfo = _UTC

    @property
    def viewpoint(self) -> Viewer:
        return Viewer(self.rights, self.zone, Action.EXPORT)
