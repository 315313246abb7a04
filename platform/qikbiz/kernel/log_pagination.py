"""One page of a log, the newest first. Ids are made in the order of time, so they are the order here too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

from qikbiz.kernel.database import db

PAGE_SIZE = 50
Event = TypeVar("Event")


@dataclass(frozen=True, slots=True)
class LogPage(Generic[Event]):
    """`older` and `newer` are the ids to go on from, None where there is nothing."""

    events: Sequence[Event]
    older: UUID | None = None
    newer: UUID | None = None


def log_page(
    model: type[Event],
    conditions: Sequence[ColumnElement[bool]],
    *,
    before: UUID | None = None,
    after: UUID | None = None,
) -> LogPage[Event]:
    """The events that fulfil the conditions: the newest, those before an id, or those right after one."""
    if after is not None:
        return _page_after(model, conditions, after)
    key = _key(model)
    query = select(model).where(*conditions, *([key < before] if before else []))
    found = list(db.session.scalars(query.order_by(key.desc()).limit(PAGE_SIZE + 1)))
    shown = found[:PAGE_SIZE]
    older = _id(shown[-1]) if len(found) > PAGE_SIZE else None
    return LogPage(shown, older, _id(shown[0]) if before is not None and shown else None)


def _page_after(model: type[Event], conditions: Sequence[ColumnElement[bool]], after: UUID) -> LogPage[Event]:
    key = _key(model)
    query = select(model).where(*conditions, key > after).order_by(key).limit(PAGE_SIZE + 1)
    found = list(db.session.scalars(query))
    if len(found) <= PAGE_SIZE:
        return log_page(model, conditions)
    shown = found[PAGE_SIZE - 1 :: -1]
    return LogPage(shown, _id(shown[-1]), _id(shown[0]))


def _key(model: type[Event]) -> InstrumentedAttribute[UUID]:
    found: InstrumentedAttribute[UUID] = model.id  # type: ignore[attr-defined]  # each log has one
    return found


def _id(event: Event) -> UUID:
    found: UUID = event.id  # type: ignore[attr-defined]
    return found
