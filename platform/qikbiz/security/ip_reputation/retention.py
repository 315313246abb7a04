"""What is deleted of addresses in the control database, and when (promise P5). Counts stay; they name nobody.

Events and scores go after 30 days. A rule's address is then cut to its network (/24 or /48), and after a year the rule
goes. No rule stands for longer than 30 days, so none is cut while it is in force.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_network

from sqlalchemy import ColumnElement, Date, and_, cast, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.security.ip_reputation.models import AbuseCount, AbuseEvent, AddressRule, AddressScore
from qikbiz.security.ip_reputation.pseudonyms import without_addresses
from qikbiz.web.client_address import PREFIX_SHOWN

ADDRESS_KEPT = timedelta(days=30)
PREFIX_KEPT = timedelta(days=365)


def delete_expired_addresses(*, now: datetime | None = None) -> int:
    """Returns how many events went."""
    moment = now or clock.now()
    gone = _delete_events(moment - ADDRESS_KEPT)
    db.control.execute(delete(AddressScore).where(AddressScore.checked_at < moment - ADDRESS_KEPT))
    _shorten_rules(moment - ADDRESS_KEPT)
    db.control.execute(delete(AddressRule).where(AddressRule.created_at < moment - PREFIX_KEPT))
    return gone


def _delete_events(before: datetime) -> int:
    day, old = cast(func.timezone("UTC", AbuseEvent.at), Date), AbuseEvent.at < before
    counted = select(day, AbuseEvent.kind, func.count()).where(old).group_by(day, AbuseEvent.kind)
    adding = insert(AbuseCount).from_select(["day", "kind", "events"], counted)
    total = {"events": AbuseCount.events + adding.excluded.events}
    db.control.execute(adding.on_conflict_do_update(index_elements=["day", "kind"], set_=total))
    gone = db.control.execute(delete(AbuseEvent).where(old))
    return int(getattr(gone, "rowcount", 0))


def _shorten_rules(before: datetime) -> None:
    whole = or_(*(_is_longer(version, length) for version, length in PREFIX_SHOWN.items()))
    for rule in db.control.scalars(select(AddressRule).where(AddressRule.created_at < before, whole)):
        unit = ip_network(rule.unit)
        rule.unit = str(unit.supernet(new_prefix=PREFIX_SHOWN[unit.version]))
        rule.reason = without_addresses(rule.reason)


def _is_longer(version: int, length: int) -> ColumnElement[bool]:
    return and_(func.family(AddressRule.unit) == version, func.masklen(AddressRule.unit) > length)
