"""The processes that the Procfile names."""

from __future__ import annotations

import re
from pathlib import Path

# Where the packages lie, from which the commands of the Procfile run.
ROOT = Path(__file__).parents[1]
# A wheel carries its Procfile beside this module.
PROCFILE = next(place for place in (ROOT / "Procfile", Path(__file__).with_name("Procfile")) if place.is_file())
_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(.+)")


def processes_of(procfile: Path = PROCFILE) -> dict[str, str]:
    """Name → command, in the order of the file."""
    lines = procfile.read_text(encoding="utf-8").splitlines()
    return {found[1]: found[2].strip() for line in lines if (found := _LINE.fullmatch(line.strip()))}
