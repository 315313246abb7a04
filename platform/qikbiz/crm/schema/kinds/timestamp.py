"""A moment, shown in the viewer's zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import ClassVar

from sqlalchemy import Row

from qikbiz.crm.schema.field import Column, Condition, Field, FilterControl, ParseLocale, People, Showing, Viewer
from qikbiz.crm.schema.html import safe_texts
from qikbiz.crm.schema.number_parsing import parse_date, parse_timestamp
from qikbiz.web.formats import moments_shown

FROM, TO = "_from", "_to"


@dataclass(frozen=True)
class Timestamp(Field):
    kind: ClassVar[str] = "timestamp"
    filter_control: ClassVar[FilterControl] = "range"

    def read(self, text: str, locale: ParseLocale) -> datetime:
        return parse_timestamp(text)

    def show(self, value: datetime | str | None) -> str:
        return value.isoformat() if isinstance(value, datetime) else value or ""

    def cells(self, rows: Sequence[Row[tuple[object, ...]]], people: People) -> list[str]:
        shown = moments_shown()
        cells = []
        for row in rows:
            iso, exact, relative = safe_texts(shown(getattr(row, self.name)))
            cells.append(f'<td><time datetime="{iso}" title="{exact}" data-relative>{relative}</time></td>')
        return cells

    @property
    def parameters(self) -> tuple[str, ...]:
        return (self.name + FROM, self.name + TO)

    def condition(self, column: Column, text: str, parameter: str, viewer: Viewer) -> Condition:
        start = datetime.combine(parse_date(text), time(), viewer.zone)
        # The last day given is still inside.
        return column >= start if parameter.endswith(FROM) else column < start + timedelta(days=1)

    def condition_words(self, text: str, parameter: str, showing: Showing) -> str:
        return f"{self.label} {'from' if parameter.endswith(FROM) else 'up to'} {text}"
