"""How many rows a list has, without reading them all: exact up to a thousand, the planner's guess above."""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sqlalchemy import ClauseElement, Executable, Select, func, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

COUNTED_TO = 1_000
REMEMBERED_SECONDS = 60
MOST_REMEMBERED = 5_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """`rows` is exact unless `is_about`."""

    rows: int
    is_about: bool = False

    def __str__(self) -> str:
        return f"about {_rounded(self.rows):,}" if self.is_about else f"{self.rows:,}"


_guesses: dict[Hashable, tuple[float, Estimate]] = {}


class _Explain(Executable, ClauseElement):
    inherit_cache = False

    def __init__(self, query: Select[Any]) -> None:
        self.query = query


@compiles(_Explain)
def _explain(element: _Explain, compiler: SQLCompiler, **options: object) -> str:
    return f"EXPLAIN (FORMAT JSON) {compiler.process(element.query, **options)}"


def remembered_estimate(session: Session, query: Select[Any], name: Hashable) -> Estimate:
    """As `estimate`, but a guess is good for a minute; `name` says which list of which tenant it is."""
    known = _guesses.get(name)
    if known is not None and known[0] > monotonic():
        return known[1]
    found = estimate(session, query)
    if found.is_about:
        if len(_guesses) >= MOST_REMEMBERED:
            _guesses.clear()
        _guesses[name] = (monotonic() + REMEMBERED_SECONDS, found)
    return found


def estimate(session: Session, query: Select[Any]) -> Estimate:
    """Rows of `query` (without order and limit). Costs the same whatever the table holds."""
    guessed = guess(session, query)
    if guessed > 2 * COUNTED_TO:
        return Estimate(guessed, is_about=True)
    counted = _count_capped(session, query)
    return Estimate(counted) if counted <= COUNTED_TO else Estimate(max(guessed, counted), is_about=True)


def guess(session: Session, query: Select[Any]) -> int:
    """What the planner thinks; tenants can't read the catalog, but may ask for a plan."""
    plan = session.connection().execute(_Explain(query)).scalar_one()
    content = json.loads(plan) if isinstance(plan, str) else plan
    return int(content[0]["Plan"]["Plan Rows"])


def _count_capped(session: Session, query: Select[Any]) -> int:
    some = (
        query.with_only_columns(literal_column("1"), maintain_column_froms=True)
        .order_by(None)
        .limit(COUNTED_TO + 1)
        .subquery()
    )
    counted: int = session.execute(select(func.count()).select_from(some)).scalar_one()
    return counted


def _rounded(rows: int) -> int:
    """Three digits that mean something: 104,211 is about 104,000."""
    unit = int("1" + "0" * max(len(str(rows)) - 3, 0))
    return round(rows / unit) * unit
