"""How promise P5 is kept: addresses are used to notice misuse, shown to the customer, and forgotten in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select

from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.security.access_log.blocks import allowances, blocks_lately, hits
from qikbiz.security.access_log.models import AccessEvent
from qikbiz.security.access_log.queries import oldest_address, oldest_event
from qikbiz.web.formats import count, number

LATELY = timedelta(days=30)


def evidence() -> Sequence[Fact]:
    """This organisation's log in the last 30 days, what is kept, and which of its addresses are blocked."""
    since = AccessEvent.at >= clock.now() - LATELY
    rows = db.session.execute(select(AccessEvent.outcome, func.count()).where(since).group_by(AccessEvent.outcome))
    outcomes = {outcome: int(amount) for outcome, amount in rows}
    address, event = oldest_address(), oldest_event()
    return (
        ("Sign-in events in 30 days", number(sum(outcomes.values()))),
        ("Of these, failed or refused", number(outcomes.get("failed", 0) + outcomes.get("refused", 0))),
        ("Requests from blocked addresses", number(blocks_lately())),
        ("Your addresses blocked now", number(len(hits()))),
        ("Allowed by you", count(len(allowances()), "address", "addresses")),
        ("Oldest full address kept", f"{address:%d %b %Y}" if address else "None"),
        ("Oldest entry kept", f"{event:%d %b %Y}" if event else "None"),
    )


KEEPINGS = (
    Keeping(
        "P5",
        "Failed sign-ins, invalid cookies and suspicious requests are counted by IP address, in Redis under a "
        "keyed hash. Too many in a short time slow an address down and then block it for ten minutes, and longer "
        "if they continue. Users who are already signed in are not affected, and accounts are never locked. The "
        "block page shows a reference and the end of the block, and has a contact form. Your administrators see "
        "all sign-ins and attempts with their addresses, and can allow an address in your workspace for a day. A "
        "full address is kept for 30 days and its network for 12 months. The database enforces this, and a list in "
        "the source code names every place where an address can be stored.",
        "access.index",
        "Access log",
        evidence,
        try_it="Sign in with a wrong password, then find the attempt in the log with its network and time.",
    ),
)
