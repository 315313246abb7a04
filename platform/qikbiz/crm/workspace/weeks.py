"""On which day the weeks of an organisation begin: as its administrators chose, or as is usual in its country."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel import clock
from qikbiz.web.query_params import asked_otherwise
from qikbiz.web.viewer import time_zone
from tenants.context import Tenant, current_tenant

MONDAY, FRIDAY, SATURDAY, SUNDAY = 0, 4, 5, 6
# What administrators may choose; "" is as in the country.
WEEK_STARTS = {"monday": MONDAY, "sunday": SUNDAY, "saturday": SATURDAY}
# Unicode CLDR 48, weekData/firstDay. Everywhere else, and without a country, Monday (ISO 8601).
_SUNDAY = """AG AS BD BR BS BT BW BZ CA CO DM DO ET GT GU HK HN ID IL IN IS JM JP KE KH KR LA MH MM MO MT MX MZ NI NP
    PA PE PH PK PR PT PY SA SG SV TH TT TW UM US VE VI WS YE ZA ZW"""
_SATURDAY = "AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY"
_BY_COUNTRY = dict.fromkeys(_SUNDAY.split(), SUNDAY) | dict.fromkeys(_SATURDAY.split(), SATURDAY) | {"MV": FRIDAY}


def first_weekday(tenant: Tenant) -> int:
    """0 for Monday to 6 for Sunday, as `date.weekday` counts."""
    chosen = WEEK_STARTS.get(tenant.week_start)
    return _BY_COUNTRY.get(tenant.country, MONDAY) if chosen is None else chosen


def this_week_url(endpoint: str) -> str:
    """The log at `endpoint`, filtered from the first day of the current week."""
    today = clock.now().astimezone(time_zone()).date()
    start = today - timedelta(days=(today.weekday() - first_weekday(current_tenant())) % 7)
    return asked_otherwise(endpoint, **{"from": start.isoformat(), "to": ""})
