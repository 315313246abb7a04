"""The global alarm: guessing so slow and so spread out that no single address stands out.

What gives it away is the share of logins that fail, over all addresses. While it stands, every stranger's login waits
a moment, and operators see it on the page of addresses.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from qikbiz.audit.actions import record_on_platform
from qikbiz.kernel.database import db
from qikbiz.security.ip_reputation import limiter
from qikbiz.security.ip_reputation.models import AbuseEvent
from qikbiz.security.ip_reputation.signals import Signal

WINDOW = timedelta(hours=1)
STANDS = timedelta(minutes=30)
# Fewer tries say nothing; and a busy Monday morning has failures, but not from so many places.
FEWEST_FAILURES, FEWEST_UNITS, MOST_FAILING = 300, 100, 0.3
_FAILED = (Signal.LOGIN_FAILED, Signal.LOGIN_UNKNOWN)


def raise_alarm_if_sprayed(now: datetime) -> bool:
    """Look at the last hour's logins of everybody. True when the alarm was raised now or stands already."""
    if limiter.is_alarmed():
        return True
    failed, units, succeeded = _last_hour(now)
    share = failed / (failed + succeeded) if failed else 0.0
    if failed < FEWEST_FAILURES or units < FEWEST_UNITS or share <= MOST_FAILING:
        return False
    limiter.raise_alarm(STANDS)
    record_on_platform("login.alarm_raised", details={"failed": failed, "networks": units, "succeeded": succeeded})
    return True


def _last_hour(now: datetime) -> tuple[int, int, int]:
    failing = AbuseEvent.kind.in_(_FAILED)
    query = select(
        func.count().filter(failing),
        func.count(AbuseEvent.unit.distinct()).filter(failing),
        func.count().filter(AbuseEvent.kind == Signal.LOGIN_SUCCEEDED),
    ).where(AbuseEvent.at > now - WINDOW)
    failed, units, succeeded = db.control.execute(query).one()
    return int(failed), int(units), int(succeeded)
