"""E-mails or phones of a row: one column or several, with labels, several addresses in a cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from qikbiz.crm.schema.field import Field
from qikbiz.crm.schema.kinds.labelled import LONGEST_LIST
from qikbiz.crm.schema.kinds.tags import json_list
from qikbiz.crm.schema.normalize import merge_entries
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.transfer.imports.mapping import Column
from qikbiz.transfer.imports.plans import Plan

# Where it is, what stands there, what is wrong with it.
Fault = tuple[int, str, FieldProblem]
# Google puts several into one cell.
_BETWEEN = re.compile(r"\s*(?:[;\n]|:::)\s*")
# Between several, where the whole can't be read as one: `030 / 12 34 56` is a single number.
_PERHAPS_BETWEEN = re.compile(r"\s*(?:,|\s/\s|\|)\s*")


class AddressColumns:
    """The columns of one kind of address: `several` is the list's field, `single` that of the primary one."""

    def __init__(self, plan: Plan, several: Field, single: str, columns: list[Column]) -> None:
        self._plan = plan
        self._list = several
        self._several = several.name
        self._single = single
        self._name = several.part
        self._columns = columns
        only = columns[0]
        self._only = only if len(columns) == 1 and not only.label and only.label_place is None else None
        self._region = plan.context.default_region

    def read(self, cells: Sequence[str], given: dict[str, object], region: str) -> Iterator[Fault]:
        """Put one plain address into `given` alone, several or labelled ones as a list. Yields what is wrong.

        `region` is the country of phone numbers without its code.
        """
        self._region = region
        if self._only is not None:
            text = cells[self._only.place]
            if not text:
                return
            if ";" not in text and ":" not in text and "\n" not in text:
                try:
                    given[self._single] = self._address(text)
                except FieldProblem:
                    yield from self._read_list(cells, given)
                return
        yield from self._read_list(cells, given)

    def _read_list(self, cells: Sequence[str], given: dict[str, object]) -> Iterator[Fault]:
        entries: list[dict[str, object]] = []
        for column in self._columns:
            text = cells[column.place]
            if text and text.strip():
                found, faults = self._entries(text, self._label(column, cells))
                entries += found
                yield from ((column.place, part, problem) for part, problem in faults)
        if len(entries) > LONGEST_LIST:
            too_many = FieldProblem(f"There are {len(entries)} entries.", f"At most {LONGEST_LIST} are allowed.")
            yield self._columns[0].place, "", too_many
            del entries[LONGEST_LIST:]
        merged = merge_entries(None, entries, self._name)
        if len(merged) == 1 and self._only is not None and not merged[0]["label"]:
            given[self._single] = merged[0][self._name]
        elif merged:
            given[self._several] = merged

    def _entries(self, text: str, label: str) -> tuple[list[dict[str, object]], list[tuple[str, FieldProblem]]]:
        """The addresses of a cell, and the parts of it that are none."""
        found: list[dict[str, object]] = []
        faults: list[tuple[str, FieldProblem]] = []
        for own, part in self._parts(text, label):
            try:
                found += self._entry(part, own)
            except FieldProblem as problem:
                pieces, at_fault = self._pieces(part, own)
                found += pieces
                faults += at_fault if pieces else [(part, problem)]
        return found, faults

    def _parts(self, text: str, label: str) -> Iterator[tuple[str, str]]:
        """Each address with its label: those of a portable export of ours, or what stands between separators."""
        listed = json_list(text)
        if listed is None:
            yield from ((label, part) for part in filter(None, map(str.strip, _BETWEEN.split(text))))
            return
        for entry in listed:
            known = entry if isinstance(entry, dict) else {}
            yield str(known.get("label") or label), str(known.get(self._name) or entry)

    def _pieces(self, part: str, label: str) -> tuple[list[dict[str, object]], list[tuple[str, FieldProblem]]]:
        """What can be read of a part that may be several addresses, written with a comma or a slash between them."""
        found: list[dict[str, object]] = []
        faults: list[tuple[str, FieldProblem]] = []
        for piece in filter(None, map(str.strip, _PERHAPS_BETWEEN.split(part))):
            try:
                found += self._entry(piece, label)
            except FieldProblem as problem:
                faults.append((piece, problem))
        return found, faults

    def _entry(self, part: str, label: str) -> list[dict[str, object]]:
        if ":" not in part:
            return [{"label": label, self._name: self._address(part)}]
        context = replace(self._plan.context, default_region=self._region)
        found: list[dict[str, object]] = self._list.parse(part, context)
        return [entry if entry["label"] else {**entry, "label": label} for entry in found]

    def _address(self, text: str) -> str | None:
        if not text.strip():
            return None
        return self._list.entry_in_region(text, self._region)

    def _label(self, column: Column, cells: Sequence[str]) -> str:
        if column.label_place is None:
            return column.label
        # Google marks the preferred one with a star.
        label = cells[column.label_place].replace("*", "").strip().lower()[:40]
        return label if label.isprintable() else column.label
