"""Which version of the statement is in force, which is announced, and which were before: as the notary wrote it down.

The answer is remembered for a few seconds, since every public page needs it. Without the control database the last
answer stands, and before there was one the founding version: an older text is never served too early.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from flask import current_app
from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError

from qikbiz.kernel.database import runtime
from qikbiz.trust.privacy.bundled_versions import founding_statement
from qikbiz.trust.privacy.text import StatementText, read_text

REMEMBERED_SECONDS = 5.0
_EXTENSION = "qikbiz.statements"
_STANDING = text("SELECT * FROM notices.standing ORDER BY version DESC")
_WATCHED = text(
    "SELECT seen_at, version, stood, page_sha256, remark FROM notices.watch ORDER BY seen_at DESC LIMIT :limit"
)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Version:
    """One version as announced. `takes_effect_on` is later than `effective_on` by the days its notice did not stand."""

    number: int
    source: str
    sha256: str
    material: bool
    announced_at: datetime | None
    announced_on: date
    announced_by: str
    effective_on: date
    takes_effect_on: date | None
    notice_days: int
    missed: int
    withdrawn_at: datetime | None
    reason: str
    has_taken_effect: bool

    @cached_property
    def text(self) -> StatementText:
        return read_text(self.source)


@dataclass(frozen=True)
class Standing:
    """Every version, newest first. Not `is_certain` when the database could not be asked."""

    versions: tuple[Version, ...]
    is_certain: bool = True

    @property
    def in_force(self) -> Version:
        return next(version for version in self.versions if version.has_taken_effect)

    @property
    def announced(self) -> Version | None:
        """The version whose notice is running, if there is one."""
        newest = self.versions[0]
        return None if newest.has_taken_effect or newest.withdrawn_at else newest

    def state_of(self, version: Version) -> str:
        if version.withdrawn_at:
            return "withdrawn"
        if not version.has_taken_effect:
            return "announced"
        return "in force" if version == self.in_force else "replaced"

    def version(self, number: int) -> Version | None:
        return next((version for version in self.versions if version.number == number), None)


@dataclass(frozen=True)
class Seen:
    """One look of the probe."""

    seen_at: datetime
    version: int
    stood: bool
    page_sha256: str
    remark: str


def standing() -> Standing:
    known, until = current_app.extensions.get(_EXTENSION, (None, 0.0))
    if known is None or time.monotonic() >= until:
        known = _asked() or _without_database(known)
        current_app.extensions[_EXTENSION] = (known, time.monotonic() + REMEMBERED_SECONDS)
    assert isinstance(known, Standing)
    return known


def invalidate_standing() -> None:
    """Have the database asked again at the next look: something was announced just now."""
    current_app.extensions.pop(_EXTENSION, None)


def text_in_force() -> StatementText:
    return standing().in_force.text


def announced_statement() -> Version | None:
    """The version that the banner of every page announces."""
    return standing().announced


def earliest_day_now() -> date | None:
    """The first day on which a version announced at this moment could take effect, as the database counts."""
    with runtime().control.connect() as connection:
        found: date | None = connection.execute(text("SELECT notices.earliest_now()")).scalar_one()
    return found


def looks_of_the_probe(limit: int = 50) -> list[Seen]:
    with runtime().control.connect() as connection:
        return [Seen(*row) for row in connection.execute(_WATCHED, {"limit": limit})]


def _asked() -> Standing | None:
    try:
        # A connection of its own: what goes wrong here must not end the transaction of the page.
        with runtime().control.connect() as connection:
            return Standing(tuple(_version(row) for row in connection.execute(_STANDING)))
    except SQLAlchemyError as error:
        logger.warning("statements_not_read", extra={"reason": type(error).__name__})
        return None


def _without_database(known: Standing | None) -> Standing:
    if known is not None:
        return Standing(known.versions, is_certain=False)
    file = founding_statement()
    founding = Version(
        number=file.version,
        source=file.text.source,
        sha256=file.text.sha256,
        material=True,
        announced_at=None,
        announced_on=file.announced_on,
        announced_by="",
        effective_on=file.effective_on,
        takes_effect_on=file.effective_on,
        notice_days=0,
        missed=0,
        withdrawn_at=None,
        reason="",
        has_taken_effect=True,
    )
    return Standing((founding,), is_certain=False)


def _version(row: Row[tuple[object, ...]]) -> Version:
    found = row._mapping
    return Version(
        number=found["version"],
        source=found["body"],
        sha256=found["sha256"],
        material=found["material"],
        announced_at=found["announced_at"],
        announced_on=found["announced_on"],
        announced_by=found["announced_by"],
        effective_on=found["effective_on"],
        takes_effect_on=found["takes_effect_on"],
        notice_days=found["notice_days"],
        missed=found["missed"],
        withdrawn_at=found["withdrawn_at"],
        reason=found["reason"] or "",
        has_taken_effect=found["has_taken_effect"],
    )
