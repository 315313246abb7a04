"""Which column of the file goes into which field. Guessed from the headings, changed by the person, kept as JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from qikbiz.crm.schema.record_type import RecordType
from qikbiz.kernel.errors import Failure
from qikbiz.transfer.imports import returned_rows
from qikbiz.transfer.imports.column_synonyms import is_label_column, meaning, plain_heading

FULL_NAME = "full_name"
LABELS = ("", "work", "home", "mobile", "other")
_NETWORKS = {
    "linkedin_url": re.compile(r"\blinkedin\.com/", re.IGNORECASE),
    "x_url": re.compile(r"(?:^|[/.])(?:twitter|x)\.com/", re.IGNORECASE),
}


class UnusableMapping(Failure):
    """The columns as chosen can't make records; the text says what is missing or double."""

    status, key = 400, "unusable_mapping"


@dataclass(frozen=True, slots=True)
class Column:
    """One column that is imported. `place` counts from 0; an address's `label` may stand in column `label_place`."""

    place: int
    field: str
    label: str = ""
    label_place: int | None = None


@dataclass(frozen=True)
class Mapping:
    """The columns imported, in the file's order."""

    columns: tuple[Column, ...] = field(default=())

    def as_json(self) -> dict[str, object]:
        return {
            str(column.place): {"field": column.field, "label": column.label, "label_place": column.label_place}
            for column in self.columns
        }

    @classmethod
    def from_json(cls, kept: AnyMapping[str, Any]) -> Mapping:
        columns = [Column(int(place), **target) for place, target in kept.items()]
        return cls(tuple(sorted(columns, key=lambda column: column.place)))

    def fields(self) -> set[str]:
        return {column.field for column in self.columns}

    def column_of(self, place: int) -> Column | None:
        return next((column for column in self.columns if column.place == place), None)


def guess(
    record_type: RecordType,
    header: Sequence[str],
    sample: Sequence[Sequence[str]] = (),
    are_ours: Callable[[list[UUID]], bool] = lambda _ids: True,
) -> Mapping:
    """The best reading of the headings. A column without a sure meaning is left out, and shown as such.

    `are_ours` says whether records of ours have some of these ids.
    """
    columns: list[Column] = []
    taken: set[str] = set()
    plain = {plain_heading(heading) for heading in header}
    values = [[row[place] for row in sample if place < len(row) and row[place].strip()] for place in range(len(header))]
    foreign: list[int] = []
    for place, heading in enumerate(header):
        target = _target(record_type, heading, plain, values[place])
        if target == ("id", "") and not (
            all(map(_is_uuid, values[place])) and are_ours([UUID(text.strip()) for text in values[place]])
        ):
            foreign.append(place)
            continue
        if (
            target is None
            or (target[0] != FULL_NAME and record_type.locks(target[0]))
            or (target[0] in taken and target[0] not in record_type.address_lists.values())
        ):
            continue
        taken.add(target[0])
        columns.append(Column(place, *target, _label_place(header, place)))
    found = _with_foreign_ids(record_type, columns, foreign, values)
    return _without_redundant_name(Mapping(tuple(sorted(found, key=lambda column: column.place))))


def _with_foreign_ids(
    record_type: RecordType, columns: list[Column], foreign: list[int], values: list[list[str]]
) -> list[Column]:
    """Every program numbers its records, many by ids like ours: these are external ids, unless a column has those."""
    named = next((column for column in columns if column.field == "external_id"), None)
    if not foreign or record_type.locks("external_id") or (named is not None and values[named.place]):
        return columns
    return [*(column for column in columns if column is not named), Column(foreign[0], "external_id")]


def checked_mapping(
    record_type: RecordType, mapping: Mapping, header: Sequence[str], key: str, *, finds_existing: bool = True
) -> Mapping:
    """The mapping when it can be imported. Raises UnusableMapping.

    Without `finds_existing` every row becomes a new record, and no column has to tell which one exists already.
    """
    if key not in record_type.key_fields:
        raise UnusableMapping("Choose how existing records are matched.")
    for column in mapping.columns:
        _refuse_unknown(record_type, column, header)
    _refuse_doubles(record_type, mapping, header)
    fields = mapping.fields()
    if not fields & ({*record_type.needs_one_of, FULL_NAME} | _lists(record_type)):
        wanted = " or ".join(record_type.field(name).label for name in record_type.needs_one_of)
        raise UnusableMapping(f"No column is imported as {wanted}. Choose one, or the records would have no name.")
    if finds_existing and not has_key(record_type, fields, key):
        raise UnusableMapping(
            f"No column is imported as {key_label(record_type, key)}, by which existing records are found. Choose "
            "one, match by another field, or choose “Only create”."
        )
    return mapping


def key_label(record_type: RecordType, key: str) -> str:
    return "name and company" if key == "name_company" else record_type.field(key).label


def target_choices(record_type: RecordType) -> list[tuple[str, str]]:
    """What a column can be imported as, for a person to choose: ("field" or "field:label", words)."""
    choices = [("", "Don't import")]
    if record_type.is_person:
        choices.append((FULL_NAME, "Full name (first and last)"))
    for one in record_type.importable():
        if one.name in record_type.address_lists.values():
            single = "Email" if one.name == "emails" else "Phone"
            choices += [(f"{one.name}:{label}", f"{single}, {label or 'no label'}") for label in LABELS]
        elif one.name not in record_type.address_lists:
            choices.append((one.name, one.label))
    return choices


def _target(record_type: RecordType, heading: str, plain: set[str], values: list[str]) -> tuple[str, str] | None:
    if heading in returned_rows.COLUMNS or is_label_column(heading):
        return None
    target = meaning(record_type, heading)
    if target is None:
        return None
    name, label = target
    if (name, plain_heading(heading)) == ("salutation", "title") and not plain & {"job title", "jobtitle"}:
        name = "job_title"  # Salesforce's; Outlook's Title stands beside a Job Title and is the salutation
    if name == "website":
        name = _network_of(record_type, values) or name
    return record_type.address_lists.get(name, name), label


def _network_of(record_type: RecordType, values: list[str]) -> str:
    """The field of the network that these addresses of pages are all in."""
    for name, pattern in _NETWORKS.items():
        if values and record_type.has_field(name) and all(pattern.search(value) for value in values):
            return name
    return ""


def _without_redundant_name(mapping: Mapping) -> Mapping:
    if mapping.fields() & {"first_name", "last_name"}:
        return Mapping(tuple(column for column in mapping.columns if column.field != FULL_NAME))
    return mapping


def _label_place(header: Sequence[str], place: int) -> int | None:
    # Google writes `E-mail 1 - Label` right before `E-mail 1 - Value`.
    value = plain_heading(header[place])
    before = header[place - 1] if place else ""
    if (
        value.endswith(" value")
        and is_label_column(before)
        and plain_heading(before).rsplit(" ", 1)[0] == value.removesuffix(" value")
    ):
        return place - 1
    return None


def _refuse_unknown(record_type: RecordType, column: Column, header: Sequence[str]) -> None:
    if not 0 <= column.place < len(header):
        raise UnusableMapping("A column was chosen that the file doesn't have.")
    if column.field == FULL_NAME and record_type.is_person:
        return
    if record_type.locks(column.field) or not record_type.field(column.field).is_importable:
        raise UnusableMapping(f"“{header[column.place]}” can't be imported as {column.field!r}.")


def _refuse_doubles(record_type: RecordType, mapping: Mapping, header: Sequence[str]) -> None:
    places: dict[str, int] = {}
    for column in mapping.columns:
        if column.field in _lists(record_type):
            continue
        if column.field in places:
            first, second = header[places[column.field]], header[column.place]
            raise UnusableMapping(
                f"“{first}” and “{second}” are both imported as the same field. Leave one of them out."
            )
        places[column.field] = column.place


def _lists(record_type: RecordType) -> set[str]:
    return {name for name in (*record_type.address_lists.values(), "tags") if record_type.has_field(name)}


def has_key(record_type: RecordType, fields: set[str], key: str) -> bool:
    """Whether these fields hold what `key` looks for."""
    if key == "name_company":
        return bool(fields & {FULL_NAME, "last_name", "first_name"}) and "company_name" in fields
    return bool(fields & {key, record_type.address_lists.get(key, key)})


def finds_records(record_type: RecordType, key: str, name: str) -> bool:
    """Whether records found by `key` are found by the field of this name, alone or with others."""
    if key == "name_company":
        return name in ("first_name", "last_name", FULL_NAME, "company_name")
    return name in (key, record_type.address_lists.get(key))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text.strip())
    except ValueError:
        return False
    return True
