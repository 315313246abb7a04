"""What a feature says of its jobs: their kinds, and which of them are done periodically."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

Queue = Literal["exports", "imports", "mail", "checks", "provisioning"]
QUEUES: tuple[Queue, ...] = get_args(Queue)
HOUR = 3600
SECONDS_TO_RECORD = 20
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"[a-z_]+\.[a-z_]+")


@dataclass(frozen=True, slots=True)
class JobKind:
    """`title` is how people read it; `function` is "module:name".

    A claim holds `lease_seconds` without a heartbeat; a try may take `timeout_seconds`.
    `works_for_asker`: what staff ask for is done by the role of the customer's grant (qikbiz.trust.grants).
    `outside_seconds` is how long it may wait for servers that are not ours, all together.
    After `max_attempts` tries that raised, the job is `failed`; when its worker died each time, `quarantined`. One that
    `changes_records` is neither taken nor done for an account that is closing.
    `former_names` are kept for one release after the kind got another name: queued jobs may still bear them.
    """

    queue: Queue
    title: str
    function: str
    timeout_seconds: int = 600
    max_attempts: int = 3
    lease_seconds: int = 30
    is_platform: bool = False
    changes_records: bool = False
    works_for_asker: bool = False
    outside_seconds: int = 0
    former_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # What the outside did has to be written down before the limit ends the try, or it would be done again.
        if self.outside_seconds and self.outside_seconds + SECONDS_TO_RECORD > self.timeout_seconds:
            raise ValueError(f"{self.title}: a call outside may take as long as the whole job.")


@dataclass(frozen=True, slots=True)
class Periodic:
    """`kind` every so often, counted from a fixed moment in UTC, so that restarts don't shift it.

    With `each_tenant` it is a job of a tenant, and every open tenant gets one.
    """

    name: str
    kind: str
    every: timedelta
    each_tenant: bool = False
    arguments: dict[str, object] = field(default_factory=dict)

    def due_at(self, now: datetime) -> datetime:
        """The last due time that has come."""
        return EPOCH + (now - EPOCH) // self.every * self.every


def check_jobs(kinds: Iterable[Mapping[str, JobKind]], schedule: Iterable[Periodic]) -> None:
    """Raises ValueError for a name that two kinds or two entries claim, and for an entry that names no kind."""
    declared = [pair for mapping in kinds for pair in mapping.items()]
    claims = Counter(name for own, kind in declared for name in (own, *kind.former_names))
    for name, count in claims.items():
        if count > 1 or not _NAME.fullmatch(name):
            raise ValueError(f"The job kind {name!r} is declared twice, or not named “things.verb”.")
    entries, known = list(schedule), dict(declared)
    if twice := [name for name, count in Counter(entry.name for entry in entries).items() if count > 1]:
        raise ValueError(f"Scheduled twice: {', '.join(twice)}.")
    for entry in entries:
        if entry.kind not in known or known[entry.kind].is_platform == entry.each_tenant:
            raise ValueError(f"“{entry.name}” names no kind of job of its ledger: {entry.kind}.")
