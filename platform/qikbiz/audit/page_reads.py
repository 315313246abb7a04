"""Lists, searches and other pages of many records: who had which on the screen, without a single value (promise P6).

A list is the hottest page, so its rows are no links of the chain: they wait for no other request, and their commit
does not wait for the disk. Once an hour they are sealed: one event of the chain holds their number and their SHA-256,
so that from then on none can be changed, added or removed unnoticed (docs/audit-format.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from qikbiz.audit.actions import record
from qikbiz.audit.chain import has_events
from qikbiz.audit.models import AuditEvent, PageRead
from qikbiz.audit.queries import AuditFilter, id_at
from qikbiz.kernel.actors import SYSTEM, acting_as, current_actor
from qikbiz.kernel.clock import now
from qikbiz.kernel.database import before_commit, db, tenant_transaction
from qikbiz.kernel.log_pagination import LogPage, log_page
from tenants.context import Tenant, current_tenant
from tenants.control import new_id

View = Literal["list", "search", "suggestions", "trash", "home", "import"]
SEALED = "page_reads.sealed"
# A request is over long before, so that no row with an earlier number comes after its seal.
SETTLED = timedelta(minutes=5)
# After this the rows go; the seals stay in the audit for as long as that is kept.
MONTHS_KEPT = 12
_AT_ONCE = 5_000
_HASHED = (
    "id",
    "actor_kind",
    "actor_id",
    "actor_name",
    "view",
    "record_type",
    "filters",
    "part",
    "shown",
    "request_id",
)
# As plain SQL: composing it costs as much as running it, and this is on the hottest page. It says whether this
# transaction has written nothing before: then it has no number yet.
_INSERT = """
    WITH before AS MATERIALIZED (SELECT pg_current_xact_id_if_assigned() IS NULL AS is_first)
    INSERT INTO page_reads
           (id, at, actor_kind, actor_id, actor_name, view, record_type, filters, part, shown, request_id)
    SELECT %s::uuid, %s::timestamptz, %s::text, %s::uuid, %s::text, %s::text, %s::text, %s::text[], %s::text,
           %s::integer, %s::text FROM before
    RETURNING (SELECT is_first FROM before)"""


def record_page(view: View, record_type: str, *, shown: int, filters: Iterable[str] = (), part: str = "first") -> None:
    """Write down, with the commit, that the one who acts had this page. `filters` are names, never what they look for.

    `part` is first, next or previous, `shown` how many records the page showed. A guest's pages are written down by the
    visit itself, each with its address.
    """
    actor = current_actor()
    if actor.grant is not None:
        return
    who = (actor.kind, actor.id, actor.name)
    what = (view, record_type, sorted({name[:60] for name in filters}), part, shown)
    values = (new_id(), now(), *who, *what, actor.request_id)
    session = db.session()
    before_commit(session, partial(_write, session, values), is_first=True)


def part_of(arguments: Any) -> str:
    """Which page of a list an address asks for."""
    return "next" if arguments.get("after") else "previous" if arguments.get("before") else "first"


def _write(session: Session, values: tuple[Any, ...]) -> None:
    session.flush()
    connection = session.connection()
    is_first = connection.exec_driver_sql(_INSERT, values).scalar_one()
    if is_first and not has_events(session):
        # Nothing else is written: the page need not wait for the disk. A power cut may lose the last second of these.
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


@dataclass(frozen=True, slots=True)
class Seal:
    """What one event vouches for: the rows after `after` up to `through`, both ids ("" for the beginning)."""

    seq: int
    after: str
    through: str
    reads: int
    sha256: str


def page_of_reads(wanted: AuditFilter, *, before: UUID | None, after: UUID | None) -> LogPage[PageRead]:
    """Newest first, by person and day."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.person:
        conditions.append(PageRead.actor_id == wanted.person)
    if wanted.first_day:
        conditions.append(PageRead.id >= id_at(_start(wanted.first_day, wanted)))
    if wanted.last_day:
        conditions.append(PageRead.id < id_at(_start(wanted.last_day, wanted) + timedelta(days=1)))
    return log_page(PageRead, conditions, before=before, after=after)


def seal_reads(tenant: Tenant) -> int:
    """Have one event of the chain vouch for what was not sealed yet. Returns how many rows; none makes no event."""
    with acting_as(SYSTEM), tenant_transaction(tenant) as session:
        last = next(iter(_seals(session, limit=1)), None)
        after = last.through if last else ""
        count, digest, through = _digest(session, after, str(id_at(now() - SETTLED)))
        if count:
            record(SEALED, details={"reads": count, "after": after, "through": through, "sha256": digest})
    return count


def broken_seals(session: Session, *, limit: int = 24) -> list[int]:
    """The numbers of those of the newest seals whose rows are not as they were. Rows may be gone by age, and are then
    left out."""
    oldest = id_at(now() - timedelta(days=31 * (MONTHS_KEPT - 1)))
    broken = []
    for seal in _seals(session, limit=limit):
        if UUID(seal.after or seal.through) < oldest:
            continue
        count, digest, _ = _digest(session, seal.after, seal.through, is_inside=True)
        if (count, digest) != (seal.reads, seal.sha256):
            broken.append(seal.seq)
    return broken


def _seals(session: Session, *, limit: int) -> list[Seal]:
    newest = select(AuditEvent).where(AuditEvent.action == SEALED, AuditEvent.chain == current_tenant().id)
    return [
        Seal(event.seq, *(event.details[name] for name in ("after", "through", "reads", "sha256")))
        for event in session.scalars(newest.order_by(AuditEvent.id.desc()).limit(limit))
        if event.salt is not None
    ]


def _digest(session: Session, after: str, until: str, *, is_inside: bool = False) -> tuple[int, str, str]:
    """(rows, SHA-256 over one line of canonical JSON a row, the last id) of the rows after `after`, before `until`."""
    hashed, count, last = hashlib.sha256(), 0, after
    while True:
        rows = _rows(session, last, until, is_inside=is_inside)
        for row in rows:
            hashed.update(_line(row))
        count += len(rows)
        last = str(rows[-1].id) if rows else last
        if len(rows) < _AT_ONCE:
            return count, hashed.hexdigest(), last


def _rows(session: Session, after: str, until: str, *, is_inside: bool) -> Sequence[PageRead]:
    query = select(PageRead).where(PageRead.id <= UUID(until) if is_inside else PageRead.id < UUID(until))
    if after:
        query = query.where(PageRead.id > UUID(after))
    return session.scalars(query.order_by(PageRead.id).limit(_AT_ONCE)).all()


def _line(row: PageRead) -> bytes:
    values = {name: getattr(row, name) for name in _HASHED}
    plain = {name: str(value) if isinstance(value, UUID) else value for name, value in values.items()}
    moment = row.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    text = json.dumps(plain | {"at": moment}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def _start(day: date, wanted: AuditFilter) -> datetime:
    return datetime.combine(day, datetime.min.time(), wanted.zone)
