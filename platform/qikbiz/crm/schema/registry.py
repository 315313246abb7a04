"""The record types, in the order in which their packages registered them, and what those packages do for the others.

`app/features.py` installs the packages; nothing registers at import.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from qikbiz.audit.actions import Changes
from qikbiz.audit.models import RecordChange
from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import AnyPermission, register_record_type

OnChange = Callable[[Record, Changes], None]
OnPurge = Callable[[UUID], None]


@dataclass(frozen=True, slots=True)
class References:
    """How another record's field names a record of this type.

    `find` gives the id of the record that was typed, or None; it raises FieldProblem when it can't tell which is meant.
    `require` is for a field that holds nothing but the id: empty text is None, and FieldProblem is raised also for a
    name that no record has, and for the record that is being edited itself (None while it is created).
    `text` is a record, or a row with its name columns, so that it can be typed back.
    """

    find: Callable[[str], UUID | None]
    require: Callable[[str | None, Record | None], UUID | None]
    text: Callable[[object], str]


@dataclass(frozen=True, slots=True)
class Panel:
    """A block beside a record's fields. `values` are those of its template; None leaves the block out."""

    template: str
    values: Callable[[UUID], Mapping[str, object] | None]


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A page about one record, which stands in its menu for users who have the permission."""

    label: str
    icon: str
    permission: AnyPermission
    url: Callable[[UUID], str]


class RecordTypes(Mapping[str, RecordType]):
    """Record types by one of their names. Raises RuntimeError in a process that has registered none."""

    def __init__(self) -> None:
        self._types: dict[str, RecordType] = {}

    def __getitem__(self, name: str) -> RecordType:
        return (self._types or self._none())[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types or self._none())

    def __len__(self) -> int:
        return len(self._types or self._none())

    def add(self, name: str, record_type: RecordType) -> None:
        if name in self._types:
            raise RuntimeError(f"A record type called {name!r} is registered already.")
        self._types[name] = record_type

    def _none(self) -> dict[str, RecordType]:
        raise RuntimeError("No record type is registered: this process did not install the features.")


RECORD_TYPES = RecordTypes()
BY_SINGULAR = RecordTypes()
_references: dict[str, References] = {}
_on_change: defaultdict[str, list[OnChange]] = defaultdict(list)
_on_purge: defaultdict[str, list[OnPurge]] = defaultdict(list)
_panels: defaultdict[str, list[Panel]] = defaultdict(list)
_menus: defaultdict[str, list[MenuEntry]] = defaultdict(list)


def register_type(record_type: RecordType, references: References) -> None:
    register_record_type(record_type.name)
    RECORD_TYPES.add(record_type.plural, record_type)
    BY_SINGULAR.add(record_type.name, record_type)
    _references[record_type.name] = references


def register_on_change(type_name: str, act: OnChange) -> None:
    """`act` is called with a record of this type and what changed of it, in the transaction of the change."""
    _on_change[type_name].append(act)


def register_on_purge(type_name: str, act: OnPurge) -> None:
    """`act` is called with the id of a record of this type before it is deleted permanently, in that transaction."""
    _on_purge[type_name].append(act)


def register_panel(type_name: str, panel: Panel) -> None:
    """Show a block on the page of each record of this type, after those registered before."""
    _panels[type_name].append(panel)


def register_menu_entry(type_name: str, entry: MenuEntry) -> None:
    """Add a line to the menu of each record of this type, after those registered before."""
    _menus[type_name].append(entry)


def record_type(plural: str) -> RecordType:
    """Raises NotFound for a name that is no record type."""
    if plural not in RECORD_TYPES:
        raise NotFound(f"There are no records called {plural!r}.")
    return RECORD_TYPES[plural]


def references_to(type_name: str) -> References:
    return _references[type_name]


def call_on_change(type_name: str, found: Record, changes: Changes) -> None:
    for act in _on_change[type_name]:
        act(found, changes)


def call_on_purge(type_name: str, record_id: UUID) -> None:
    for act in _on_purge[type_name]:
        act(record_id)


def panels_of(type_name: str, record_id: UUID) -> list[tuple[str, Mapping[str, object]]]:
    """The templates of the blocks that this user sees on a record's page, each with its values."""
    shown = [(panel.template, panel.values(record_id)) for panel in _panels[type_name]]
    return [(template, values) for template, values in shown if values is not None]


def menu_of(type_name: str) -> tuple[MenuEntry, ...]:
    return tuple(_menus[type_name])


def record_tables() -> tuple[str, ...]:
    """The tables in which records, their links and their history lie."""
    models = [kind.model.__tablename__ for kind in RECORD_TYPES.values()]
    links = [kind.link_table.table for kind in RECORD_TYPES.values() if kind.link_table]
    return (*models, *links, RecordChange.__tablename__)
