"""Every place that may hold an address of a visitor, and until when (promise P5). A test looks everywhere else.

Redis holds none: networks are named there by a keyed hash (`ip_reputation/pseudonyms.py`). Log lines hold none, and
the ledgers and audits neither: they name the event or the rule. A proxy in front keeps its own logs, as its
configuration says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Database = Literal["tenant", "control"]
# "address" is a whole one; "network" its /24, or the /48 of IPv6.
Holds = Literal["address", "network"]


@dataclass(frozen=True, slots=True)
class AddressPlace:
    """A column. `job` is the kind of the scheduled job that deletes what it holds."""

    database: Database
    table: str
    column: str
    holds: Holds
    until: str
    job: str


_SESSION = "30 days after its end"
PLACES: tuple[AddressPlace, ...] = (
    AddressPlace("tenant", "access_events", "address", "address", "30 days", "access_log.delete_old"),
    AddressPlace("tenant", "access_events", "prefix", "network", "12 months", "access_log.delete_old"),
    AddressPlace("tenant", "user_sessions", "address_prefix", "network", _SESSION, "sessions.delete_old"),
    AddressPlace("tenant", "remember_series", "address_prefix", "network", _SESSION, "sessions.delete_old"),
    AddressPlace("control", "staff_sessions", "address_prefix", "network", _SESSION, "sessions.delete_old_staff"),
    AddressPlace("control", "abuse_events", "address", "address", "30 days", "ip_reputation.delete_old"),
    AddressPlace("control", "abuse_events", "unit", "address", "30 days", "ip_reputation.delete_old"),
    AddressPlace("control", "address_scores", "unit", "address", "30 days", "ip_reputation.delete_old"),
    AddressPlace(
        "control", "address_rules", "unit", "address", "30 days; its network 12 months", "ip_reputation.delete_old"
    ),
    AddressPlace("control", "address_rules", "reason", "address", "30 days", "ip_reputation.delete_old"),
)
