"""The access log as a CSV file that a spreadsheet can open without running anything in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from zoneinfo import ZoneInfo

from qikbiz.security.access_log.kinds import OUTCOMES, label
from qikbiz.security.access_log.models import AccessEvent
from qikbiz.transfer.exports.formula_escape import FORMULA_SAFE_SUFFIX, escape

HEADINGS = (
    "Time",
    "Person",
    "Account tried",
    "Event",
    "Outcome",
    "Address",
    "Network",
    "Device",
    "Detail",
    "Reference",
)
_BOM = "\ufeff"


def file_name(slug: str, day: str) -> str:
    return f"{slug}-access-log-{day}{FORMULA_SAFE_SUFFIX}"


def csv_lines(events: Iterable[AccessEvent], zone: ZoneInfo) -> Iterator[str]:
    """The file, line by line; times are those of `zone` with their distance from UTC."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")
    line.write(_BOM)
    for row in chain([HEADINGS], (_cells(event, zone) for event in events)):
        writer.writerow([escape(cell) for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _cells(event: AccessEvent, zone: ZoneInfo) -> tuple[str, ...]:
    return (
        event.at.astimezone(zone).isoformat(timespec="seconds"),
        event.person_name,
        event.account,
        label(event.kind),
        OUTCOMES[event.outcome],
        str(event.address or ""),
        str(event.prefix or ""),
        event.device,
        event.detail,
        event.request_id,
    )
