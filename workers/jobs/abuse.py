"""Jobs about addresses: score one, and keep the rules and the retention."""

from __future__ import annotations

from qikbiz.abuse import actions
from workers.work import Work


def check_address(work: Work) -> None:
    """Score the unit named in the arguments, decide, and record why."""
    with work.finish():
        actions.check_address(str(work.arguments["unit"]))


def forget_addresses(work: Work) -> None:
    """Let old events go, and tell Redis again which rules stand."""
    with work.finish():
        actions.forget_old_events()
        actions.enforce_standing_rules()
