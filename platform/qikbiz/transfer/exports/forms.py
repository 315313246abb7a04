"""What a person asks for, read from the address of a list or from the form."""

from __future__ import annotations

from uuid import UUID

from flask_login import current_user
from werkzeug.datastructures import MultiDict

from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.listing import sortable
from qikbiz.crm.schema.registry import RECORD_TYPES, record_type
from qikbiz.kernel.errors import Failure
from qikbiz.transfer.exports.catalogue import EVERYTHING
from qikbiz.transfer.exports.selection import PORTABLE, SORT, SPREADSHEET, Selection
from qikbiz.web.forms import OwnForm, Text
from qikbiz.web.viewer import time_zone

PRODUCT_CHOICES = (
    (
        PORTABLE,
        "Portable",
        "Every value exactly as stored, one CSV file per table. For a backup, to move to another program, or to "
        "restore here.",
    ),
    (
        SPREADSHEET,
        "Spreadsheet",
        "For Excel or LibreOffice: readable headings and dates, and no cell can run as a formula.",
    ),
)


def scopes() -> list[tuple[str, str, str]]:
    """What can be exported: (what a form sends, its label, what it holds)."""
    return [
        (EVERYTHING, "Everything", "All contacts and companies, your users, history and the audit."),
        *(
            (kind.plural, kind.plural_label, f"Only the list of {kind.plural_label.lower()}.")
            for kind in RECORD_TYPES.values()
        ),
    ]


def selection_from(given: MultiDict[str, str], *, scope: str = EVERYTHING, product: str = PORTABLE) -> Selection:
    """`scope` and `product` are what is meant when none is named. Raises Failure for a list that there is not."""
    scope = given.get("scope") or scope
    filters = {} if scope == EVERYTHING else filters_from_address(scope, given)
    columns = tuple(given.getlist("columns"))
    return Selection(scope, given.get("product") or product, filters, columns, current_user.rights, time_zone())


def filters_from_address(scope: str, given: MultiDict[str, str]) -> dict[str, list[str]]:
    """The parameters that filter and sort the list of `scope`, and no others."""
    kind = visible_type(record_type(scope))
    names = ["q", *(name for field in kind.filterable() for name in field.parameters)]
    found = {name: [text for text in given.getlist(name) if text.strip()] for name in names}
    order = given.get(SORT, "")
    if order.removeprefix("-") in sortable(kind):
        found[SORT] = [order]
    return {name: texts for name, texts in found.items() if texts}


class ExportIdForm(OwnForm):
    """The id that the form was given when it was shown, so that sending it twice asks once."""

    export_id = Text()

    def given_id(self) -> UUID | None:
        """Raises Failure for what is no id."""
        if self.export_id.text and not self.export_id.uuid:
            raise Failure("This form is no longer valid. Open the page again.")
        return self.export_id.uuid
