"""Numbers of every kind: set to the right, typed with the digits of a keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Row

from qikbiz.crm.schema.field import Field, People
from qikbiz.web.formats import number


@dataclass(frozen=True)
class Number(Field):
    """What such kinds share."""

    input_mode: ClassVar[str] = "decimal"
    is_number: ClassVar[bool] = True

    def cells(self, rows: Sequence[Row[tuple[object, ...]]], people: People) -> list[str]:
        return [f'<td class="num">{number(getattr(row, self.name))}</td>' for row in rows]
