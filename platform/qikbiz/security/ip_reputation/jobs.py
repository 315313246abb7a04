"""Jobs about addresses: score one, apply rules and retention, measure how often a block was a mistake."""

from __future__ import annotations

from uuid import UUID

from qikbiz.jobs.job_context import JobContext
from qikbiz.security.ip_reputation import actions, false_positives, retention, rules


def check_address(work: JobContext) -> None:
    """Score where the event in the arguments came from, decide, and record why."""
    with work.finish():
        actions.check_event(UUID(str(work.arguments["event"])))


def delete_old_events(work: JobContext) -> None:
    """Delete old events and rules, and write the rules in force to Redis again."""
    with work.finish():
        retention.delete_expired_addresses()
        rules.enforce_standing_rules()


def measure_false_positives(work: JobContext) -> None:
    with work.finish():
        false_positives.measure_blocks()
