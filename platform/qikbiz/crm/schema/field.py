"""A field as it is declared, and what each kind of field answers. A kind is a class in `kinds/`, a field one of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup
from psycopg import sql
from sqlalchemy import ColumnElement, Row

from qikbiz.crm.schema.html import link, safe_texts
from qikbiz.crm.schema.number_parsing import DateOrder
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.kernel.permissions import Action
from qikbiz.kernel.rights import Rights

Column = ColumnElement[Any]
Condition = ColumnElement[bool]
Control = Literal["input", "select", "textarea"]
FilterControl = Literal["text", "select", "range", "hidden"]
Options = list[tuple[str, str]]
ParseCell = Callable[[str], object]
People = Mapping[UUID, str]
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class ParseLocale:
    """How the writer writes: the country of numbers without a code, the order in 03/04/2026, the decimal mark."""

    default_region: str = ""
    date_order: DateOrder = ""
    decimal_mark: str = "."


PLAIN = ParseLocale()


@dataclass(frozen=True, slots=True)
class Showing:
    """What it takes to show ids as names; `linked_name` gives a record's by its type's name and its id, or None."""

    people: People
    linked_name: Callable[[str, UUID], str | None]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose list it is: which records the act reaches, what "me" means, and in which zone a day begins."""

    rights: Rights
    zone: ZoneInfo = _UTC
    action: Action = Action.SEE


@dataclass(frozen=True)
class Field(ABC):
    """One field. `columns` are the database columns it writes; empty means the one of the same name.

    `in_list` shows it in a list at first, and on the record's page among the key facts, as `is_key` does.
    `is_locked` is set where a person may see the field and not change it (`crm/records/field_access.py`).
    `references` is the name of the record type that the field names a record of. Such a field writes that record's id
    to its last column, and where it has two it repeats the record's name in the first.
    """

    name: str
    label: str
    section: str = ""
    help: str = ""
    max_length: int = 200
    is_required: bool = False
    is_importable: bool = True
    is_exportable: bool = True
    is_editable: bool = True
    is_searchable: bool = False
    is_filterable: bool = False
    is_sortable: bool = False
    is_listable: bool = True
    in_list: bool = False
    is_key: bool = False
    columns: tuple[str, ...] = ()
    references: str = ""
    autocomplete: str = "off"
    is_locked: bool = False

    # The kind's name: no two have the same.
    kind: ClassVar[str]
    # What empty text is read as.
    empty: ClassVar[Any] = None
    # The type and the on-screen keyboard of a form's input.
    input_type: ClassVar[str] = "text"
    input_mode: ClassVar[str] = ""
    is_wide: ClassVar[bool] = False
    # Whether a form keeps to `max_length` while something is typed, and shows line breaks where a value has some.
    is_free_text: ClassVar[bool] = False
    # Several values, each with a label: the key of the value in an entry, and the labels that are offered.
    part: ClassVar[str] = ""
    labels: ClassVar[tuple[str, ...]] = ()
    # How a list's filters ask for it.
    filter_control: ClassVar[FilterControl] = "text"
    # Whether it names a user, whether a number without country code is of the record's country, and whether this is it.
    names_user: ClassVar[bool] = False
    needs_region: ClassVar[bool] = False
    gives_region: ClassVar[bool] = False
    is_number: ClassVar[bool] = False

    @property
    def written_columns(self) -> tuple[str, ...]:
        return self.columns or (self.name,)

    @property
    def is_link(self) -> bool:
        """Whether its value is the id of a user or of another record."""
        return self.names_user or bool(self.references)

    @property
    def control(self) -> Control:
        """How a form asks for it; a `select` offers `select_options`."""
        return "input"

    def parse(self, text: str, locale: ParseLocale = PLAIN) -> Any:
        """The value as it is kept; `empty` for empty text. Raises FieldProblem.

        An owner or another record is a UUID, or text to be looked up.
        """
        if not text or not text.strip():
            if self.is_required:
                raise FieldProblem(f"{self.label} is missing.", "Enter a value.")
            return [] if self.empty == [] else self.empty
        value = self.read(text, locale)
        if isinstance(value, str) and len(value) > self.max_length:
            raise FieldProblem(
                f"It is {len(value):,} characters long.",
                f"At most {self.max_length:,} characters are allowed in {self.label}.",
            )
        return value

    @abstractmethod
    def read(self, text: str, locale: ParseLocale) -> Any:
        """`parse` of text that is not empty. Raises FieldProblem."""

    def parse_typed(self, text: str, locale: ParseLocale = PLAIN) -> Any:
        """As `parse`, of what was typed into a form."""
        return self.parse(text, locale)

    def parse_cell(self, locale: ParseLocale) -> ParseCell | None:
        """A quicker `parse` for imports of a million rows, with None for an empty cell; None where there is none."""
        return None

    def parse_in_region(self, text: str, region: str) -> Any:
        """As `parse`, for a row of an import whose country is `region` (ISO 3166-1, two letters)."""
        return self.parse(text, ParseLocale(default_region=region))

    def entry_in_region(self, text: str, region: str) -> str:
        """One value of a list of values with labels, as it is kept. Raises FieldProblem."""
        raise NotImplementedError

    def complete(self, value: Any, given: Mapping[str, Any]) -> Any:
        """A value that an import has read, in the light of the row's other fields."""
        return value

    @property
    def completes(self) -> bool:
        return type(self).complete is not Field.complete

    def import_note(self, examples: Sequence[str]) -> str:
        """What a person should know of a column with these cells before it is imported into this field, or nothing."""
        return ""

    def translate(self, text: str) -> str:
        """Another program's way to write a value of this field, written as ours. Other text stays as it is."""
        return text

    @property
    def translates(self) -> bool:
        return type(self).translate is not Field.translate

    def show(self, value: Any) -> str:
        """The value as text that `parse` reads back to the same value."""
        return "" if value is None else str(value)

    def describe(self, value: Any, showing: Showing) -> str:
        """A value, kept or read back from history, in words: names instead of ids."""
        return "" if value is None or value in ("", []) else self.words(value, showing)

    def words(self, value: Any, showing: Showing) -> str:
        """`describe` of a value that is not empty."""
        return self.show(value)

    def fact(self, record: object, text: str) -> Markup | str:
        """`text`, which `describe` gave of this record, as it stands on the record's page."""
        href = self.href(record, text)
        return link(href, text) if href else text

    def href(self, record: object, text: str) -> str:
        """Where a click on the value leads on the record's page, or nothing."""
        return ""

    def cells(self, rows: Sequence[Row[Any]], people: People) -> list[str]:
        """The cells of a list's column as HTML, of all rows at once: the hottest page is made of them."""
        return [f"<td>{text}</td>" for text in safe_texts(self.cell_texts([getattr(row, self.name) for row in rows]))]

    def cell_texts(self, values: Sequence[Any]) -> Sequence[str | None]:
        """The plain texts of `cells`."""
        return values

    def options(self, people: People) -> Options:
        """All values that there are, as (text, words); nothing where they can't be listed. `people` can own records."""
        return []

    @property
    def has_options(self) -> bool:
        return type(self).options is not Field.options

    def select_options(self, text: str, people: People) -> Options:
        """What a select offers while it holds `text`: the empty value first, and what is kept although it is gone."""
        options = [("", ""), *self.options(people)]
        return options if any(text == key for key, _ in options) else [*options, (text, text)]

    def selected(self, text: str) -> str:
        """Which of the options `text` means."""
        return text

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of an address that filter by this field."""
        return (self.name,)

    @property
    def filter_column(self) -> str:
        # Of another record its id is the last column.
        return self.written_columns[-1] if self.references else self.name

    def filter_options(self, people: People) -> Options:
        """What a filter offers."""
        return self.options(people)

    def condition(self, column: Column, text: str, parameter: str, viewer: Viewer) -> Condition:
        """What rows fulfil in which `column` is as the filter `parameter` says. Raises FieldProblem, ValueError."""
        return column == text if self.has_options else column.icontains(text, autoescape=True)

    def condition_words(self, text: str, parameter: str, showing: Showing) -> str:
        """The same in words."""
        if self.has_options:
            return f"{self.label} is {dict(self.options(showing.people)).get(text, text)}"
        return f"{self.label} has “{text}”"

    def export_sql(self, column: sql.Composable) -> sql.Composable | None:
        """The column as text for a spreadsheet; None where its type says enough."""
        return None
