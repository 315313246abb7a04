"""A row of the file → the columns of a record, or what is wrong with it. The hot path: a million times an import."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qikbiz.crm.schema.field import Field
from qikbiz.crm.schema.normalize import fold, name_key
from qikbiz.crm.schema.record_type import derived_columns
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.transfer.imports.address_columns import AddressColumns, Fault
from qikbiz.transfer.imports.cell_policy import REFUSE, written_key
from qikbiz.transfer.imports.csv_reader import RowProblem
from qikbiz.transfer.imports.mapping import FULL_NAME, finds_records
from qikbiz.transfer.imports.names import split_name
from qikbiz.transfer.imports.plans import SEVERAL_OF_THE_NAME, Plan, owner_key

Parse = Callable[[str], object]
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHORTENED = 80
_REMEMBERED = 50_000
KEY_SEPARATOR = "\x1f"


@dataclass(slots=True)
class Converted:
    """`values` are the record's columns as for a new record; `key` is None when the row has none.

    `problems` refuse the row. `skipped` are cells that can't be read and don't: the record goes without them.
    `needs` is the problem it would have as a new record only, such as no name at all.
    """

    key: str | None
    values: dict[str, object]
    problems: list[RowProblem]
    needs: RowProblem | None = None
    skipped: Sequence[RowProblem] = ()


class Converter:
    """Converts the rows of one import, by its plan."""

    def __init__(self, plan: Plan, header: Sequence[str]) -> None:
        self._plan = plan
        self._header = header
        self._type = plan.record_type
        lists = self._lists = tuple(self._type.address_lists.values())
        single = [
            (c.place, c.field, self._with_chosen_values(c.place, self._parser(c.field)))
            for c in plan.mapping.columns
            if c.field not in lists and c.field != FULL_NAME
        ]
        # A number without a country code is one of the row's own country, which has to be known first.
        self._single = [one for one in single if not self._type.field(one[1]).needs_region]
        self._phones = [
            (place, name, self._type.field(name).parse_in_region)
            for place, name, _ in single
            if self._type.field(name).needs_region
        ]
        self._country = self._type.country_field
        self._completing = [field for _, name, _ in single if (field := self._type.field(name)).completes]
        self._addresses = [
            AddressColumns(plan, self._type.field(several), primary, columns)
            for primary, several in self._type.address_lists.items()
            if (columns := [c for c in plan.mapping.columns if c.field == several])
        ]
        self._full_name = next((c.place for c in plan.mapping.columns if c.field == FULL_NAME), None)
        names = ("first_name", "last_name") if self._type.is_person else ()
        self._name_parts = [(name, self._parser(name)) for name in names]
        self._region = plan.context.default_region
        places = [column.place for column in plan.mapping.columns]
        self._refusing = frozenset(place for place in places if plan.cells.of(place) == REFUSE)
        self._needed = frozenset(c.place for c in plan.mapping.columns if self._is_needed(c.field, c.place))

    def convert(self, cells: Sequence[str]) -> Converted:
        given: dict[str, Any] = {}
        faults: list[Fault] = []
        for place, name, parse in self._single:
            text = cells[place]
            if text:
                try:
                    value = parse(text)
                except FieldProblem as problem:
                    faults.append((place, text, problem))
                else:
                    if value is not None:
                        given[name] = value
        if self._full_name is not None and cells[self._full_name]:
            self._split_name(cells[self._full_name], given, faults)
        region = given.get(self._country) or self._region
        self._read_with_region(cells, region, given, faults)
        for addresses in self._addresses:
            faults += addresses.read(cells, given, region)
        return self._without(faults, given) if faults else self._completed(given)

    def _read_with_region(self, cells: Sequence[str], region: str, given: dict[str, Any], faults: list[Fault]) -> None:
        """The values that depend on others of the row: numbers without country code, codes that lost their zeros."""
        for place, name, parse in self._phones:
            if cells[place].strip():
                try:
                    given[name] = parse(cells[place], region)
                except FieldProblem as problem:
                    faults.append((place, cells[place], problem))
        for field in self._completing:
            if field.name in given:
                given[field.name] = field.complete(given[field.name], given)

    def _without(self, faults: list[Fault], given: dict[str, Any]) -> Converted:
        """The row without the cells at fault, or refused where one of them refuses it."""
        problems = [self._problem(*fault) for fault in faults]
        places = {place for place, _, _ in faults}
        if places & self._refusing:
            return Converted(None, given, problems)
        found = self._completed(given)
        # Of several addresses one may be enough to find the record by; a name without its company finds another one.
        if places & self._needed and (found.key is None or self._plan.key == "name_company"):
            return Converted(None, given, problems)
        found.skipped = problems
        return found

    def _completed(self, given: dict[str, Any]) -> Converted:
        values = self._with_derived(given)
        if self._plan.links_companies and given.get("company_name"):
            values["company_key"] = fold(given["company_name"])
        if self._plan.links_parents and given.get("parent_id"):
            values["parent_key"] = fold(str(given["parent_id"]))
        return Converted(self._key(values), values, [], self._needs(values))

    def _with_derived(self, given: dict[str, object]) -> dict[str, object]:
        quick = self._type.quick_sort_name
        if quick is None or any(name in given for name in self._lists):
            return {**given, **derived_columns(self._type, given)}
        # The usual row, a million times: the same columns without building lists of one. A test compares the two.
        given["sort_name"] = quick(given)
        return given

    def _needs(self, values: Mapping[str, object]) -> RowProblem | None:
        try:
            self._type.check(values)
        except FieldProblem as problem:
            return RowProblem("", "", problem.reason, problem.how_to_fix)
        return None

    def _key(self, values: dict[str, Any]) -> str | None:
        key = self._plan.key
        if key == "name_company":
            named = ", ".join(filter(None, (values.get("last_name"), values.get("first_name"))))
            return name_key(f"{named}{KEY_SEPARATOR}{values.get('company_name') or ''}") if named else None
        found = values.get(key)
        return (name_key(found) if key == "name" else str(found)) if found else None

    def _split_name(self, text: str, given: dict[str, object], faults: list[Fault]) -> None:
        place = self._full_name or 0
        for (name, parse), part in zip(self._name_parts, split_name(text), strict=True):
            try:
                value = parse(part) if part else None
            except FieldProblem as problem:
                faults.append((place, text, problem))
                return
            if value:
                given[name] = value

    def _is_needed(self, name: str, place: int) -> bool:
        """Whether records are found by this column, and nobody said what becomes of a cell that can't be read."""
        return not self._plan.cells.of(place) and finds_records(self._type, self._plan.key, name)

    def _with_chosen_values(self, place: int, parse: Parse) -> Parse:
        """The parser, given another text for those that a person chose a value for."""
        chosen = self._plan.cells.values.get(place)
        if not chosen:
            return parse
        return lambda text: parse(chosen.get(written_key(text), text))

    def _parser(self, name: str) -> Parse:
        field = self._type.field(name)
        if (quick := field.parse_cell(self._plan.context)) is not None:
            return quick
        read = self._owner if field.names_user else self._optional
        return memoize(lambda text: read(field, field.translate(text)))

    def _optional(self, field: Field, text: str) -> object:
        # An empty cell says nothing about the field, also where the field itself is required.
        return field.parse(text, self._plan.context) if text.strip() else None

    def _owner(self, field: Field, text: str) -> str | None:
        if not text.strip():
            return None
        wanted = str(field.parse(text, self._plan.context))
        found = self._plan.owners.get(wanted) or self._plan.owners.get(owner_key(wanted))
        if found == SEVERAL_OF_THE_NAME:
            raise FieldProblem(f"Several of your users are called “{wanted[:60]}”.", "Use the email address instead.")
        if found is None:
            raise FieldProblem(
                f"“{wanted[:60]}” isn't one of your users.",
                "Invite them first, use another email address, or don't import the column.",
            )
        return found

    def _problem(self, place: int, text: str, problem: FieldProblem) -> RowProblem:
        if _SURROGATE.search(text):
            return RowProblem(
                self._header[place],
                shortened(text),
                "It contains bytes that are not UTF-8.",
                "Save the file as UTF-8, or choose its encoding.",
            )
        return RowProblem(self._header[place], shortened(text), problem.reason, problem.how_to_fix)


def shortened(text: str) -> str:
    return text if len(text) <= _SHORTENED else text[: _SHORTENED - 1] + "…"


def memoize(parse: Parse) -> Parse:
    """`parse`, asked once for each different text. Countries, stages and the like repeat; problems are not kept."""
    known: dict[str, object] = {}

    def look(text: str) -> object:
        if text in known:
            return known[text]
        value = parse(text)
        if len(known) < _REMEMBERED and len(text) < 200:
            known[text] = value
        return value

    return look
