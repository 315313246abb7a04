"""What an import is to do, in one value that the job, its helper process and the SQL are all made from."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import ColumnElement
from sqlalchemy.sql.type_api import TypeEngine

from qikbiz.crm.schema.field import ParseLocale
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.transfer.imports.access_limits import Limits
from qikbiz.transfer.imports.cell_policy import CellPolicy
from qikbiz.transfer.imports.csv_dialect import Format
from qikbiz.transfer.imports.mapping import FULL_NAME, Mapping

Mode = Literal["create", "update", "upsert"]
MODES: tuple[Mode, ...] = ("create", "update", "upsert")
# In place of an id: the name says not which user is meant.
SEVERAL_OF_THE_NAME = "several"
NAMES = ("first_name", "middle_name", "last_name")
# The name of a company in these fields is staged folded, too, to find it by.
_KEYS = {"company_name": "company_key", "parent_id": "parent_key"}


@dataclass(frozen=True)
class Plan:
    """`owners` are the users who may own a row, {address, id or name: id}. `staged` says what is where in a staged row.

    `limits` concern the SQL alone: the helper process, which only reads the file, doesn't get them.
    """

    type_name: str
    shape: Format
    mapping: Mapping
    key: str
    mode: Mode
    context: ParseLocale = field(default_factory=ParseLocale)
    owners: dict[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    cells: CellPolicy = field(default_factory=CellPolicy)

    @cached_property
    def record_type(self) -> RecordType:
        return RECORD_TYPES[self.type_name]

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields that the file gives, in the order declared; addresses under the name of their list."""
        given = self.mapping.fields()
        if FULL_NAME in given:
            given |= {"first_name", "last_name"}
        names = (one.name for one in self.record_type.importable() if one.name in given and one.name != "id")
        return tuple(names)

    @cached_property
    def staged(self) -> tuple[str, ...]:
        """The columns of a staged row's values."""
        lists = self.record_type.address_lists
        own = [name for name in self.fields if name not in lists.values()]
        columns = self.record_type.model.__table__.c
        addresses = [name for one, several in lists.items() for name in (one, f"other_{several}", several)]
        keys = [key for field, key in _KEYS.items() if field in self.fields and self._is_of_company(field)]
        return tuple(dict.fromkeys([*own, "sort_name", *(name for name in addresses if name in columns), *keys]))

    @cached_property
    def place(self) -> dict[str, int]:
        """Where in a staged row a column stands, from 0."""
        return {name: place for place, name in enumerate(self.staged)}

    def _is_of_company(self, name: str) -> bool:
        return self.record_type.field(name).references == "company"

    @property
    def links_companies(self) -> bool:
        return "company_key" in self.place

    @property
    def links_parents(self) -> bool:
        return "parent_key" in self.place

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table that a staged row fills by itself."""
        return tuple(name for name in self.staged if name not in ("company_key", "parent_key", "parent_id"))

    def column_type(self, name: str) -> TypeEngine[Any]:
        column: ColumnElement[Any] = self.record_type.model.__table__.c[name]
        return column.type

    def as_json(self) -> dict[str, Any]:
        return {
            "type_name": self.type_name,
            "shape": list(astuple(self.shape)),
            "mapping": self.mapping.as_json(),
            "key": self.key,
            "mode": self.mode,
            "context": [self.context.default_region, self.context.date_order, self.context.decimal_mark],
            "owners": self.owners,
            "cells": self.cells.as_json(),
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Plan:
        return cls(
            kept["type_name"],
            Format(*kept["shape"]),
            Mapping.from_json(kept["mapping"]),
            kept["key"],
            kept["mode"],
            ParseLocale(*kept["context"]),
            kept["owners"],
            cells=CellPolicy.from_json(kept["cells"]),
        )


def owner_key(written: str) -> str:
    """How an address or a name of a user is looked up."""
    return " ".join(written.split()).casefold()
