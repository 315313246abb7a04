"""The processes that the Procfile names."""

from __future__ import annotations

import re
from pathlib import Path

PROCFILE = Path(__file__).parents[1] / "Procfile"
_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(.+)")


def processes_of(procfile: Path = PROCFILE) -> dict[str, str]:
    """Name → command, in the order of the file."""
    lines = procfile.read_text(encoding="utf-8").splitlines()
    return {found[1]: found[2].strip() for line in lines if (found := _LINE.fullmatch(line.strip()))}
