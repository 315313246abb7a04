"""The table and the JSON of a run: each figure beside the peer's, and the goal."""

from __future__ import annotations

import json
import platform as _machine  # noqa: TID251  # the standard module: the report names the interpreter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table


@dataclass
class Figure:
    """One measurement. `ours` and `peer` are in `unit`; `reached` says whether the `goal` in words was met."""

    name: str
    unit: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    goal: str = ""
    reached: bool | None = None
    better: Literal["less", "more"] = "less"
    notes: dict[str, float | str] = field(default_factory=dict)

    @property
    def factor(self) -> float | None:
        """How many times better than the peer; below 1 is worse."""
        if self.peer is None or not self.ours or not self.peer:
            return None
        return self.peer / self.ours if self.better == "less" else self.ours / self.peer


def show(figures: list[Figure]) -> None:
    table = Table(title="QikBiz bench", title_justify="left")
    for heading in ("what", "ours", "peer", "factor", "goal", ""):
        table.add_column(heading, justify="right" if heading in ("ours", "peer", "factor") else "left")
    for figure in figures:
        peer = f"{figure.peer:,.3g} {figure.unit} ({figure.peer_name})" if figure.peer is not None else ""
        factor = f"{figure.factor:.2f}×" if figure.factor else ""
        mark = "" if figure.reached is None else ("reached" if figure.reached else "MISSED")
        table.add_row(figure.name, f"{figure.ours:,.4g} {figure.unit}", peer, factor, figure.goal, mark)
    Console(width=150).print(table)


def write(figures: list[Figure], path: Path) -> None:
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": _machine.python_version(),
        "figures": [{**asdict(figure), "factor": figure.factor} for figure in figures],
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
