"""What becomes of cells that can't be read: the cell is skipped, the row is refused, or the value is read as another.

Kept in an import's options as {"policies": {place: policy}, "values": {place: {written: read instead}}, "default": …};
a place counts the columns of the file from 0.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from typing import Any

from qikbiz.transfer.imports.mapping import Mapping

SKIP, REFUSE = "skip", "refuse"
POLICIES = (SKIP, REFUSE)
OPTION = "cell_policy"
MOST_VALUES = 2_000


@dataclass(frozen=True)
class CellPolicy:
    """`policies` are those chosen for single columns, by place; `default` is that of the others, if one was chosen.

    Without any choice a cell is skipped, but for the columns by which existing records are found: without its key a
    row would make a second record of somebody who is there.
    """

    policies: AnyMapping[int, str] = field(default_factory=dict)
    values: AnyMapping[int, AnyMapping[str, str]] = field(default_factory=dict)
    default: str = ""

    def of(self, place: int) -> str:
        """SKIP or REFUSE as chosen, or "" where nothing was."""
        return self.policies.get(place, self.default)

    def as_json(self) -> dict[str, object]:
        kept = {
            "policies": {str(place): policy for place, policy in sorted(self.policies.items())},
            "values": {
                str(place): dict(sorted(texts.items())) for place, texts in sorted(self.values.items()) if texts
            },
            "default": self.default,
        }
        return {name: value for name, value in kept.items() if value}

    @classmethod
    def from_json(cls, kept: AnyMapping[str, Any]) -> CellPolicy:
        return cls(
            {int(place): policy for place, policy in kept.get("policies", {}).items()},
            {int(place): dict(texts) for place, texts in kept.get("values", {}).items()},
            kept.get("default", ""),
        )

    def after(self, before: Mapping, now: Mapping) -> CellPolicy:
        """The choices that still hold when columns were mapped anew: those of columns that go into the same field."""
        same = {
            column.place
            for column in now.columns
            if (known := before.column_of(column.place)) is not None and known.field == column.field
        }
        return CellPolicy(
            {place: policy for place, policy in self.policies.items() if place in same},
            {place: texts for place, texts in self.values.items() if place in same},
            self.default,
        )


def written_key(text: str) -> str:
    """How a written value is looked up: without case and outer spaces, with accents."""
    return " ".join(text.split()).casefold()
