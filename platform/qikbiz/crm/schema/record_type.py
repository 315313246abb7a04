"""The one declaration of a record's fields: page, form, list, filter, import and export are all made from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from qikbiz.crm.schema.field import Field
from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.kernel.errors import NotFound

ModelT_co = TypeVar("ModelT_co", bound=Record, covariant=True)
Values = dict[str, Any]
Derive = Callable[[Mapping[str, Any], Mapping[str, Any]], Values]


class ReferenceColumn(NamedTuple):
    """A reference to a record of type `target`: its field, and the column that holds the id."""

    field: str
    id_column: str
    target: str


class LinkTable(NamedTuple):
    """Further links of a record to records of type `target`, beside the one of its own column `other`.

    A row has the columns `own` (this record's id), `other` and `is_primary`: it repeats the record's own column.
    """

    table: str
    own: str
    other: str
    target: str


@dataclass(frozen=True)
class RecordTypeOf(Generic[ModelT_co]):
    """One kind of record. `derive` computes the columns that repeat others: see `derived_columns`.

    `name_of` says what a record is called, from its `name_columns`.
    `introduction` is what its empty list says of it, `file_hint` what a file of such records holds.
    `subtitle` is what stands below a record's name on its page, of what of it this person may see.
    `is_square` draws its pictures as those of organisations are, not as those of people.
    At least one of `needs_one_of` must be filled. `key_fields` can find an existing record in an import.
    `hints` are columns of which the first that is filled tells records of one name apart.
    `searched` are the columns of the search document beside `phone`. A record without `names` is sorted and found by
    other columns in their place.
    `headings` are what other programs call the columns of each field, as imports compare them.
    `is_person`: named by first and last name, into which an import splits a full name.
    `address_lists` are {single field: its list}: an import adds to the list, and keeps labels.
    `quick_sort_name` is all that `derive` adds to a new record with single addresses, for imports of a million rows.
    `hidden` and `unsearchable` are columns that a person may not know of, or not find records by
    (`crm/records/field_access.py`).
    """

    name: str
    plural: str
    label: str
    plural_label: str
    model: type[ModelT_co]
    fields: tuple[Field, ...]
    derive: Derive
    name_of: Callable[[Mapping[str, Any]], str]
    name_columns: tuple[str, ...]
    needs_one_of: tuple[str, ...]
    key_fields: tuple[str, ...]
    searched: tuple[str, ...]
    names: tuple[str, ...]
    hints: tuple[str, ...]
    icon: str = ""
    introduction: str = ""
    file_hint: str = ""
    subtitle: Callable[[Any], str] = lambda _record: ""
    is_square: bool = False
    is_person: bool = False
    # Their values are dictionaries, which have no hash; two types that differ in them differ in their names.
    headings: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict, hash=False)
    address_lists: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    quick_sort_name: Callable[[Mapping[str, Any]], str] | None = None
    link_table: LinkTable | None = None
    hidden: frozenset[str] = frozenset()
    unsearchable: frozenset[str] = frozenset()

    def field(self, name: str) -> Field:
        """Raises NotFound for a name that is none of this record's."""
        for field in self.fields:
            if field.name == name:
                return field
        raise NotFound(f"{self.plural_label} have no field {name!r}.")

    def has_field(self, name: str) -> bool:
        return any(field.name == name for field in self.fields)

    def importable(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.is_importable and not field.is_locked)

    def exportable(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.is_exportable)

    def editable(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.is_editable and not field.is_locked)

    def filled_in(self) -> tuple[Field, ...]:
        """What people fill in; some of it this person may only read."""
        return tuple(field for field in self.fields if field.is_editable)

    def locks(self, name: str) -> bool:
        """Whether this person can't write the field, or doesn't know of it."""
        return not any(field.name == name and not field.is_locked for field in self.fields)

    def listable(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.is_listable)

    def filterable(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.is_filterable)

    @cached_property
    def references(self) -> dict[str, ReferenceColumn]:
        """Every column that tells of another record, with that record's id and type."""
        return {
            column: ReferenceColumn(field.name, field.written_columns[-1], field.references)
            for field in self.fields
            if field.references
            for column in field.written_columns
        }

    @cached_property
    def named_references(self) -> tuple[Field, ...]:
        """The fields that name another record and keep its name beside its id."""
        return tuple(field for field in self.fields if field.references and len(field.written_columns) > 1)

    @cached_property
    def country_field(self) -> str:
        """The field of the address's country, or nothing."""
        return next((field.name for field in self.fields if field.gives_region), "")

    def sections(self) -> dict[str, list[Field]]:
        """The fields that people fill in, also those that this person can only read, under their headings."""
        grouped: dict[str, list[Field]] = {}
        for field in self.filled_in():
            grouped.setdefault(field.section, []).append(field)
        return grouped

    def check(self, record: Mapping[str, Any]) -> None:
        """Rules over several fields, on the whole record with its derived columns. Raises FieldProblem."""
        if not any(record.get(name) for name in self.needs_one_of):
            wanted = " or ".join(self.field(name).label.lower() for name in self.needs_one_of)
            raise FieldProblem("This record has no name.", f"Enter at least one of: {wanted}.")


# Any of them.
RecordType = RecordTypeOf[Record]


def derived_columns(
    record_type: RecordType, given: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> Values:
    """The columns computed from others: form and import write what this gives, beside the values themselves.

    `given` are the values written now, `before` the record's columns as they were (nothing for a new record).
    A list of addresses is the whole truth; an address given alone takes the place of the primary one; both together
    make the single one the first of the list.
    """
    return record_type.derive(given, before or {})
