"""The part of the wizard for cells that can't be read: what each column has of them, and what a person chose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field

from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.owners import possible_owners
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import record_type
from qikbiz.identity.roles.current import current_rights
from qikbiz.kernel.errors import Failure
from qikbiz.transfer.imports import queries
from qikbiz.transfer.imports.access_limits import limits_of
from qikbiz.transfer.imports.cell_policy import MOST_VALUES, POLICIES, REFUSE, SKIP, CellPolicy, written_key
from qikbiz.transfer.imports.converting import shortened
from qikbiz.transfer.imports.import_context import cell_policy_of
from qikbiz.transfer.imports.mapping import FULL_NAME, Column, Mapping, finds_records
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.queries import Unreadable
from qikbiz.transfer.imports.visibility import visible_cells

Choices = list[tuple[str, str]]
SHOWN_VALUES = 100
_SHOWN_EXAMPLES = 3
NOT_MAPPED = ("", "Not mapped")


class UnknownValue(Failure):
    """A value was chosen that isn't one of those offered."""

    status, key = 400, "unknown_value"


@dataclass(frozen=True, slots=True)
class Value:
    """A written value and what it is read as; `cells` are those that can't be read now."""

    written: str
    cells: int
    chosen: str = ""


@dataclass
class ColumnCells:
    """What a column has of cells that can't be read, and what can be chosen for them."""

    column: Column
    heading: str
    label: str
    policy: str
    policies: Choices
    choices: Choices
    cells: int = 0
    refused: int = 0
    reason: str = ""
    examples: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    more_values: int = 0

    @property
    def skipped(self) -> int:
        return self.cells - self.refused


def unreadable_columns(found: Import, *, with_mapped: bool = False) -> list[ColumnCells]:
    """The columns with cells that can't be read, in the file's order; with those whose values were mapped, if asked."""
    wanted, visible, policy = visible_type(record_type(found.record_type)), visible_cells(found), cell_policy_of(found)
    mapping = Mapping.from_json(found.mapping)
    grouped: dict[str, list[Unreadable]] = defaultdict(list)
    for one in queries.unreadable_values(found.id):
        grouped[one.column].append(one)
    columns = []
    for column in mapping.columns:
        heading = found.header[column.place]
        is_mapped = with_mapped and bool(policy.values.get(column.place))
        if visible.shows(column.place) and (heading in grouped or is_mapped):
            columns.append(_column_cells(found, wanted, column, policy, grouped[heading]))
    return columns


def policy_from(given: AnyMapping[str, str], found: Import) -> CellPolicy:
    """What a person chose on the page: `policy-3=refuse`, `written-3-0=Türkiye` with `value-3-0=TR`."""
    before, columns = cell_policy_of(found), unreadable_columns(found, with_mapped=True)
    policies, values = dict(before.policies), {place: dict(texts) for place, texts in before.values.items()}
    for one in columns:
        place = one.column.place
        policy = given.get(f"policy-{place}", "")
        if policy in POLICIES:
            policies[place] = policy
        else:
            policies.pop(place, None)
        for number in range(SHOWN_VALUES + MOST_VALUES):
            written = given.get(f"written-{place}-{number}")
            if written is None:
                break
            _choose(values.setdefault(place, {}), written, given.get(f"value-{place}-{number}", ""), one.choices)
    return CellPolicy(policies, values, before.default)


def _choose(texts: dict[str, str], written: str, chosen: str, choices: Choices) -> None:
    if chosen not in {key for key, _ in choices}:
        raise UnknownValue(f"“{shortened(chosen)}” isn't a valid option for “{shortened(written)}”.")
    if not chosen:
        texts.pop(written_key(written), None)
    elif len(texts) >= MOST_VALUES:
        raise UnknownValue(f"At most {MOST_VALUES:,} values of a column can be mapped. Change them in the file.")
    else:
        texts[written_key(written)] = chosen


def _column_cells(
    found: Import, wanted: RecordType, column: Column, policy: CellPolicy, unread: list[Unreadable]
) -> ColumnCells:
    choices = _choices(wanted, column.field)
    shown = ColumnCells(
        column,
        found.header[column.place],
        "Full name" if column.field == FULL_NAME else wanted.field(column.field).label,
        policy.of(column.place) or ("" if finds_records(wanted, found.key_field, column.field) else SKIP),
        _policies(found, wanted, column.field),
        [NOT_MAPPED, *choices] if choices else [],
        cells=sum(one.cells for one in unread),
        refused=sum(one.refused for one in unread),
        reason=unread[0].reason if unread else "",
        examples=[one.value for one in unread if one.value][:_SHOWN_EXAMPLES],
    )
    if choices:
        _add_values(shown, policy.values.get(column.place, {}), unread)
    return shown


def _add_values(shown: ColumnCells, chosen: AnyMapping[str, str], unread: list[Unreadable]) -> None:
    cells: dict[str, int] = {}
    written: dict[str, str] = {}
    # A value that was cut for the list is not the one in the file.
    for one in unread:
        if one.value and one.value == shortened(one.value) and not one.value.endswith("…"):
            key = written_key(one.value)
            written.setdefault(key, one.value)
            cells[key] = cells.get(key, 0) + one.cells
    every = [*chosen, *(key for key in cells if key not in chosen)]
    shown.values = [Value(written.get(key, key), cells.get(key, 0), chosen.get(key, "")) for key in every]
    shown.more_values = max(0, len(shown.values) - SHOWN_VALUES)
    shown.values = shown.values[:SHOWN_VALUES]


def _choices(wanted: RecordType, name: str) -> Choices:
    if name == FULL_NAME or not wanted.field(name).has_options:
        return []
    allowed = limits_of(wanted, current_rights()).made
    owners = {one: who for one, who in possible_owners().items() if allowed is None or one in allowed}
    return wanted.field(name).options(owners)


def _policies(found: Import, wanted: RecordType, name: str) -> Choices:
    if finds_records(wanted, found.key_field, name):
        return [("", "Don't import the row"), (SKIP, f"Skip the cell and create a new {wanted.name}")]
    return [(SKIP, "Skip the cell"), (REFUSE, "Don't import the row")]


def cell_facts(found: Import) -> dict[str, object]:
    """What the page shows."""
    return {"found": found, "columns": unreadable_columns(found, with_mapped=True)}
