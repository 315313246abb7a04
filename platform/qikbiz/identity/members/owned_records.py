"""The records that a user owns, and giving them to another user. The record types are above, and register both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from qikbiz.jobs.models import Job
from qikbiz.kernel.registration import Registration


@dataclass(frozen=True, slots=True)
class Owned:
    """How many records of each type a user owns, by its name, including those in the trash."""

    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class OwnedRecords:
    """`transfer(user, new owner)` gives everything now, or returns the job that does it; it raises Failure.

    A job does it where there are more than `most_at_once`.
    """

    owned_by: Callable[[UUID], Owned]
    transfer: Callable[[UUID, UUID], Job | None]
    most_at_once: int


OWNED_RECORDS: Registration[OwnedRecords] = Registration("what users own")
