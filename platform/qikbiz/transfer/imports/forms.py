"""What a person chose in the wizard: forms with fixed fields, and the table of columns, which differs by file."""

from __future__ import annotations

from uuid import UUID

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField

from qikbiz.crm.schema.normalize import countries
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.kernel.errors import Failure
from qikbiz.transfer.imports.mapping import Column, Mapping
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.visibility import visible_cells
from qikbiz.web.forms import OwnForm, Text
from tenants.context import current_tenant

MODE_CHOICES = (
    (
        "upsert",
        "Create and update",
        "New records are created, and existing ones get the values in the file. An empty cell deletes nothing.",
    ),
    ("create", "Only create", "Existing records are not changed, and are listed."),
    ("update", "Only update", "No record is created. Rows without an existing record are listed."),
)
DATE_ORDERS = (
    ("", "Refuse ambiguous dates"),
    ("dmy", "Day first: 3 April"),
    ("mdy", "Month first: March 4"),
)
DECIMAL_MARKS = ((".", "Point: 1,234.50"), (",", "Comma: 1.234,50"))


class UploadForm(OwnForm):
    type = Text("What is in the file")
    import_id = Text()

    def given_id(self) -> UUID:
        """The id that the form was given when it was shown, so that sending it twice uploads once. Raises Failure."""
        if self.import_id.uuid is None:
            raise Failure("This form is no longer valid. Open the page again.")
        return self.import_id.uuid


class FormatForm(OwnForm):
    """How the file is written; `act` is the button."""

    encoding = Text("Encoding")
    delimiter = Text("Delimiter")
    has_header = BooleanField()
    header_row = Text("Row with the headings")
    is_formula_safe = BooleanField()
    act = Text()

    @property
    def heading_row(self) -> int | None:
        """The row of the headings that was typed; None where nothing was, or no number."""
        text = self.header_row.text.strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else None


class UndoForm(OwnForm):
    """Whether records that were changed since are undone too."""

    anyway = BooleanField()


def mapping_from(given: MultiDict[str, str], found: Import) -> Mapping:
    """The field chosen for each column: `column-3=emails:work`. What the guess knew of label columns is kept.

    A column that this person may not see stays as it is: mapped into another field it would be seen.
    """
    known = {column.place: column for column in Mapping.from_json(found.mapping).columns}
    visible = visible_cells(found)
    columns = []
    for place in range(len(found.header)):
        if not visible.shows(place):
            columns += [known[place]] if place in known else []
            continue
        chosen = given.get(f"column-{place}", "")
        if not chosen:
            continue
        name, _, label = chosen.partition(":")
        guessed = known.get(place)
        beside = guessed.label_place if guessed and guessed.field == name else None
        columns.append(Column(place, name, label[:40], beside))
    return Mapping(tuple(columns))


def options_from(given: MultiDict[str, str]) -> dict[str, str]:
    """How the writer of the file writes; anything that is none of the choices counts as not chosen."""
    region, order, mark = given.get("region", ""), given.get("date_order", ""), given.get("decimal_mark", ".")
    return {
        "region": region if region in countries() else "",
        "date_order": order if order in dict(DATE_ORDERS) else "",
        "decimal_mark": mark if mark in dict(DECIMAL_MARKS) else ".",
    }


def key_choices(record_type: RecordType) -> list[tuple[str, str]]:
    labels = {"name_company": "Name and company", "email": "Email (any)", "id": "QikBiz record ID"}
    return [(key, labels.get(key) or record_type.field(key).label) for key in record_type.key_fields]


def region_choices() -> list[tuple[str, str]]:
    return [("", _no_region()), *countries().items()]


def _no_region() -> str:
    own = countries().get(current_tenant().country)
    return f"Same as the organisation: {own}" if own else "None: such numbers are refused"
