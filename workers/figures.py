"""How many jobs and mails wait, run and failed, over all tenants: gathered by the sweeper, read by /metrics.

A monitor's request enters no tenant. The sweeper counts in the tenants that have work in each round, and in all others
every few minutes; the last count of each tenant is shown.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from qikbiz.jobs.ledger import LedgerModel
from qikbiz.messaging.mail.queries import MailModel

SECONDS_BETWEEN_LOOKS = 15.0
OPEN_JOBS, FAILED_JOBS = ("pending", "running"), ("failed", "quarantined")
OPEN_MAILS = ("pending", "sending")


@dataclass
class Figures:
    """Of one tenant, or of the platform. `oldest` holds moments (Unix time) since which the longest waiting waits."""

    jobs: Counter[tuple[str, str]] = field(default_factory=Counter)
    mails: Counter[str] = field(default_factory=Counter)
    oldest: dict[str, float] = field(default_factory=dict)
    oldest_mail: float | None = None
    looked_at: float = 0.0

    @property
    def are_empty(self) -> bool:
        return not self.jobs and not self.mails


class AllFigures:
    """What is remembered of every tenant that has anything; None is the platform."""

    def __init__(self) -> None:
        self._by_tenant: dict[UUID | None, Figures] = {}

    def look(self, session: Session, tenant_id: UUID | None, jobs: LedgerModel, mails: MailModel) -> None:
        known = self._by_tenant.get(tenant_id)
        if known is not None and time.monotonic() - known.looked_at < SECONDS_BETWEEN_LOOKS:
            return
        found = _figures(session, jobs, mails)
        if found.are_empty:
            self._by_tenant.pop(tenant_id, None)
        else:
            self._by_tenant[tenant_id] = found

    def discard(self, tenant_id: UUID) -> None:
        self._by_tenant.pop(tenant_id, None)

    def as_json(self) -> str:
        """`{"jobs": [[kind, state, count]], "mails": {state: count}, "oldest": {kind: moment}, "oldest_mail": …}`"""
        jobs: Counter[tuple[str, str]] = Counter()
        mails: Counter[str] = Counter()
        oldest: dict[str, float] = {}
        waiting_mails = []
        for one in self._by_tenant.values():
            jobs.update(one.jobs)
            mails.update(one.mails)
            for kind, moment in one.oldest.items():
                oldest[kind] = min(moment, oldest.get(kind, moment))
            waiting_mails += [one.oldest_mail] if one.oldest_mail is not None else []
        listed: list[object] = [[kind, state, count] for (kind, state), count in sorted(jobs.items())]
        found = {
            "jobs": listed,
            "mails": dict(mails),
            "oldest": oldest,
            "oldest_mail": min(waiting_mails, default=None),
        }
        return json.dumps(found)


def _figures(session: Session, jobs: LedgerModel, mails: MailModel) -> Figures:
    found = Figures(looked_at=time.monotonic())
    since = func.extract("epoch", func.min(jobs.run_at).filter(jobs.state == "pending", jobs.run_at <= func.now()))
    counted = select(jobs.kind, jobs.state, func.count(), since).where(jobs.state.in_(OPEN_JOBS + FAILED_JOBS))
    for kind, state, count, moment in session.execute(counted.group_by(jobs.kind, jobs.state)):
        found.jobs[kind, state] = count
        if moment is not None:
            found.oldest[kind] = float(moment)
    states = select(mails.state, func.count(), func.extract("epoch", func.min(mails.created_at)))
    for state, count, moment in session.execute(states.group_by(mails.state)):
        found.mails[state] = count
        if state in OPEN_MAILS:
            found.oldest_mail = min(float(moment), found.oldest_mail or float(moment))
    return found
