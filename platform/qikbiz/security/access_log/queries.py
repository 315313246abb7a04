"""Reading the access log: newest first, filtered, and counted by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from ipaddress import ip_network
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, and_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import CIDR

from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.log_pagination import LogPage, log_page
from qikbiz.kernel.networks import Network
from qikbiz.security.access_log.models import AccessEvent

MOST_IN_A_FILE = 100_000
DAYS_SHOWN = 30
NOBODY = "nobody"
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """The filters of an access log page. Days are those of `zone`; the last one is inside.

    `person` is the id of a user, or `nobody` for those without a login here.
    """

    person: UUID | str = ""
    kind: str = ""
    outcome: str = ""
    network: Network | None = None
    first_day: date | None = None
    last_day: date | None = None
    zone: ZoneInfo = _UTC


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    done: int = 0
    failed: int = 0
    refused: int = 0

    @property
    def events(self) -> int:
        return self.done + self.failed + self.refused


def access_page(wanted: AccessFilter, *, before: UUID | None = None, after: UUID | None = None) -> LogPage[AccessEvent]:
    return log_page(AccessEvent, _conditions(wanted), before=before, after=after)


def all_events(wanted: AccessFilter) -> Iterator[AccessEvent]:
    """For the file: newest first, up to `MOST_IN_A_FILE`."""
    query = select(AccessEvent).where(*_conditions(wanted)).order_by(AccessEvent.id.desc()).limit(MOST_IN_A_FILE)
    yield from db.session.scalars(query)


def by_day(wanted: AccessFilter) -> list[Day]:
    """The last 30 days of what is wanted, empty ones included, the oldest first."""
    last = min(
        wanted.last_day or clock.now().astimezone(wanted.zone).date(), clock.now().astimezone(wanted.zone).date()
    )
    first = max(wanted.first_day or date.min, last - timedelta(days=DAYS_SHOWN - 1))
    day = cast(func.timezone(wanted.zone.key, AccessEvent.at), Date)
    since = AccessEvent.at >= datetime.combine(first, time(), wanted.zone)
    query = (
        select(day, AccessEvent.outcome, func.count())
        .where(*_conditions(wanted), since)
        .group_by(day, AccessEvent.outcome)
    )
    counts: dict[date, dict[str, int]] = {}
    for found, outcome, number in db.session.execute(query):
        counts.setdefault(found, {})[outcome] = number
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [Day(one, **counts.get(one, {})) for one in days]


def oldest_address() -> datetime | None:
    """When the oldest event happened of which the full address is still known."""
    return db.session.scalar(select(func.min(AccessEvent.at)).where(AccessEvent.address.is_not(None)))


def oldest_event() -> datetime | None:
    return db.session.scalar(select(func.min(AccessEvent.at)))


def network_wanted(text: str) -> Network | None:
    """The address or network that a user typed as a filter. Raises Failure."""
    if not text.strip():
        return None
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        shown = text.strip()[:60]
        raise Failure(f"“{shown}” is not an address or network such as 203.0.113.7 or 203.0.113.0/24.") from None


def _conditions(wanted: AccessFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.person == NOBODY:
        conditions.append(AccessEvent.person_kind == NOBODY)
    elif wanted.person:
        conditions.append(AccessEvent.person_id == wanted.person)
    if wanted.kind:
        conditions.append(AccessEvent.kind == wanted.kind)
    if wanted.outcome:
        conditions.append(AccessEvent.outcome == wanted.outcome)
    if wanted.network is not None:
        conditions.append(_is_from(wanted.network))
    if wanted.first_day:
        conditions.append(AccessEvent.at >= datetime.combine(wanted.first_day, time(), wanted.zone))
    if wanted.last_day:
        end = datetime.combine(wanted.last_day, time(), wanted.zone) + timedelta(days=1)
        conditions.append(AccessEvent.at < end)
    return conditions


def _is_from(network: Network) -> ColumnElement[bool]:
    # Of what is older than 30 days only the surrounding network is known: it is shown when it may be the one.
    asked = cast(literal(str(network)), CIDR)
    known = AccessEvent.address.bool_op("<<=")(asked)
    forgotten = and_(AccessEvent.address.is_(None), AccessEvent.prefix.bool_op("&&")(asked))
    return or_(known, forgotten)
