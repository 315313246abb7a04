"""Lists of values with labels, written `work: ann@example.com; ann@home.example`: what e-mails and phones share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from psycopg import sql

from qikbiz.crm.schema.field import Field, ParseLocale
from qikbiz.crm.schema.normalize import clean_text, merge_entries
from qikbiz.crm.schema.validation import FieldProblem

LONGEST_LIST = 50
_BETWEEN = re.compile(r"\s*(?:[;,\n]|:::)\s*")
_LABEL = re.compile(r"[^:;,@+<>\n\x00-\x1f]{0,40}")
_LABELLED = re.compile(r"^([^:;,@+<>\n]{1,40}):\s+(.+)$", re.DOTALL)
Entries = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class LabelledList(Field):
    """The values are lists of {label, `part`}, the primary one first."""

    empty: ClassVar[Any] = []

    def read(self, text: str, locale: ParseLocale) -> list[dict[str, str]]:
        entries = [
            {"label": label, self.part: self.entry_in_region(one, locale.default_region)}
            for label, one in _entries(text)
        ]
        return merge_entries(None, entries, self.part)

    def show(self, value: Entries | None) -> str:
        return "; ".join(_shown(entry, self.part) for entry in value or ())

    def entry_href(self, entry: Mapping[str, str]) -> str:
        """Where a click on one value leads, or nothing."""
        raise NotImplementedError

    def entry_text(self, entry: Mapping[str, str]) -> str:
        return entry[self.part]

    def export_sql(self, column: sql.Composable) -> sql.Composable:
        one = sql.SQL("concat_ws(': ', nullif(e.entry->>'label', ''), e.entry->>{})").format(sql.Literal(self.part))
        return sql.SQL(
            "(SELECT string_agg({}, '; ' ORDER BY e.place)"
            " FROM jsonb_array_elements({}) WITH ORDINALITY AS e (entry, place))"
        ).format(one, column)


def is_label(text: str) -> bool:
    """Whether this can stand in front of an address: `work` in `work: ann@example.com`."""
    return _LABEL.fullmatch(text) is not None


def _entries(text: str) -> list[tuple[str, str]]:
    parts = [part for part in _BETWEEN.split(clean_text(text)) if part.strip()]
    if len(parts) > LONGEST_LIST:
        raise FieldProblem(f"There are {len(parts)} entries.", f"At most {LONGEST_LIST} are allowed.")
    return [_label_and_rest(part.strip()) for part in parts]


def _label_and_rest(part: str) -> tuple[str, str]:
    labelled = _LABELLED.match(part)
    return (labelled[1].strip(), labelled[2]) if labelled else ("", part)


def _shown(entry: Mapping[str, str], part: str) -> str:
    return f"{entry['label']}: {entry[part]}" if entry.get("label") else entry[part]
