"""Numbers, sizes and times as people read them; all are template filters."""

from collections.abc import Callable, Mapping, Sized
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zlib import crc32

from flask import Flask
from markupsafe import Markup

from qikbiz.kernel import clock
from qikbiz.kernel.reading_direction import one_way
from qikbiz.web.markup import time_element
from qikbiz.web.viewer import is_zone_chosen, time_zone

HUES = 8
SIZE_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Longest first; a unit is used from one of it on.
AGO_UNITS = (("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("hour", 3_600), ("minute", 60))


def register(app: Flask) -> None:
    filters: dict[str, Callable[..., object]] = {
        "number": number,
        "bytes": size,
        "percent": percent,
        "plural": plural,
        "count": count,
        "initials": initials,
        "hue": hue,
        "date": day,
        "datetime": exact_time,
        "ago": ago,
        "duration": duration,
        "error_texts": error_texts,
        "one_way": one_way,
    }
    for name, function in filters.items():
        app.add_template_filter(function, name)


def number(value: int | float | Decimal | None, decimals: int | None = None) -> str:
    """1234567 as `1,234,567`; nothing for None."""
    if value is None:
        return ""
    if decimals is None:
        decimals = 0 if value == int(value) else 2
    return f"{value:,.{decimals}f}"


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f}%" if whole else ""


def size(value: int | None) -> str:
    """Bytes as `1.4 MB`, in powers of 1000 as disks and browsers show them."""
    if value is None:
        return ""
    amount, unit = float(value), 0
    while amount >= 999.5 and unit < len(SIZE_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    shown = f"{amount:.0f}" if unit == 0 or amount >= 99.5 else f"{amount:.1f}"
    return f"{shown} {'byte' if value == 1 else SIZE_UNITS[unit]}"


def plural(amount: int | Sized, singular: str, several: str = "") -> str:
    """`3 | plural("contact")` is `contacts`; the number itself is not in it."""
    quantity = amount if isinstance(amount, int) else len(amount)
    if quantity == 1:
        return singular
    if several:
        return several
    return singular[:-1] + "ies" if singular.endswith("y") and singular[-2:-1] not in "aeiou" else singular + "s"


def count(amount: int | Sized, singular: str, several: str = "") -> str:
    """`1234 | count("company")` is `1,234 companies`."""
    quantity = amount if isinstance(amount, int) else len(amount)
    return f"{number(quantity)} {plural(quantity, singular, several)}"


def initials(name: str | None) -> str:
    """Ann Maria Lee is `AL`; an address or a single word gives its first letter."""
    words = [word for word in (name or "").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def hue(name: object) -> int:
    """One of eight colours, always the same for the same name."""
    return crc32(str(name).encode()) % HUES + 1


def day(value: date | datetime | None) -> str:
    """`3 Nov 2026`, in the viewer's zone."""
    if value is None:
        return ""
    local = _local(value) if isinstance(value, datetime) else value
    return f"{local.day} {local:%b %Y}"


def exact_time(value: datetime | None) -> Markup | str:
    """`3 Nov 2026, 14:05`, in the viewer's zone, which shows on hover; where nobody chose one, it stands there."""
    if value is None:
        return ""
    text = _exact(value) if is_zone_chosen() else _exact_with_zone(value)
    return time_element(_aware(value), text=text, exact=_exact_with_zone(value), relative=False)


def ago(value: datetime | None, now: datetime | None = None) -> Markup | str:
    """`5 minutes ago`, with the exact time on hover; kept fresh in the browser."""
    if value is None:
        return ""
    elapsed = (now or clock.now()) - _aware(value)
    return time_element(_aware(value), text=_elapsed(elapsed), exact=_exact_with_zone(value), relative=True)


def moments_shown() -> Callable[[datetime], tuple[str, str, str]]:
    """For a long list: a function giving (ISO, exact, relative) of a moment; zone and time are looked up once."""
    zone, now = time_zone(), clock.now()

    # Rows of one import were all changed in the same moment.
    @lru_cache(maxsize=64)
    def shown(moment: datetime) -> tuple[str, str, str]:
        local = moment.astimezone(zone)
        exact = f"{local.day} {_MONTHS[local.month]} {local.year}, {local.hour:02}:{local.minute:02} {local.tzname()}"
        return moment.isoformat(), exact, _elapsed(now - moment)

    return shown


def duration(seconds: float | timedelta | None) -> str:
    """`48 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds is None:
        return ""
    total = round(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
    hours, minutes, rest = total // 3600, total % 3600 // 60, total % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def error_texts(errors: object) -> list[str]:
    """Every sentence in a field's errors, however deep a list or group of fields has put it."""
    if isinstance(errors, Mapping):
        errors = list(errors.values())
    if isinstance(errors, list | tuple):
        return [text for inner in errors for text in error_texts(inner)]
    return [str(errors)]


def _elapsed(elapsed: timedelta) -> str:
    seconds = elapsed.total_seconds()
    for unit, length in AGO_UNITS:
        amount = int(abs(seconds) // length)
        if amount:
            distance = count(amount, unit)
            return f"{distance} ago" if seconds > 0 else f"in {distance}"
    return "just now"


def _exact(value: datetime) -> str:
    local = _local(value)
    return f"{local.day} {local:%b %Y, %H:%M}"


def _exact_with_zone(value: datetime) -> str:
    return f"{_exact(value)} {_local(value):%Z}"


def _local(value: datetime) -> datetime:
    return _aware(value).astimezone(time_zone())


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)
