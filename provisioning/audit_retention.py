"""Cutting off the beginning of audits whose organisations decided how long theirs is kept.

The tenant's role can't delete an event, so the schema's owner does this. An event of its own records the cut,
so that what is left can still be checked.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from config.settings import Settings
from provisioning.schema_owner import as_owner
from provisioning.servers import Connection
from qikbiz.audit.models import AuditEvent
from qikbiz.audit.page_reads import MONTHS_KEPT
from qikbiz.audit.queries import id_at
from qikbiz.audit.serialization import SALT_BYTES, exact, frame_of
from qikbiz.audit.verify import BEFORE_THE_FIRST, TRIMMED, link_hash, private_hash
from qikbiz.kernel.actors import SYSTEM, Actor
from qikbiz.kernel.clock import now
from qikbiz.kernel.database import control_transaction, runtime
from tenants.context import Tenant
from tenants.control import TenantRecord, new_id
from tenants.directory import read_tenant
from tenants.schema_version import is_served

# The newest event of a chain always stays, also an old one: the next event links to it.
_CUTS = """
    SELECT e.chain, e.seq, e.hash FROM audit_events e JOIN (
        SELECT chain, max(seq) FILTER (WHERE at < %(before)s AND seq < newest) AS seq FROM (
            SELECT chain, seq, at, max(seq) OVER (PARTITION BY chain) AS newest FROM audit_events) all_events
         GROUP BY chain) cut ON cut.chain = e.chain AND cut.seq = e.seq
"""


def prune_audits(settings: Settings) -> int:
    """Prune the audit of every tenant that limits it. Returns how many events went."""
    return sum(prune_audit(settings, tenant) for tenant in _tenants())


def prune_audit(settings: Settings, tenant: Tenant, *, at: datetime | None = None) -> int:
    """Remove what is older than the organisation keeps, by the clock of `at`. Returns how many events went."""
    with as_owner(settings, tenant) as connection:
        _drop_old_reads(connection, at or now())
        kept = connection.execute("SELECT months FROM audit_keeping WHERE months IS NOT NULL").fetchone()
        if kept is None:
            return 0
        question = "SELECT %s::timestamptz - make_interval(months => %s::int)"
        before = (connection.execute(question, (at or now(), kept[0])).fetchone() or (None,))[0]
        cuts = connection.execute(_CUTS, {"before": before}).fetchall()
        # Deleting first: those who add to the audit wait only while the new event is written.
        removed = [_delete(connection, chain, seq) for chain, seq, _ in cuts]
        for (chain, seq, digest), count in zip(cuts, removed, strict=True):
            if count:
                details = {"chain": str(chain), "seq": seq, "hash": digest.hex(), "events": count, "months": kept[0]}
                append(connection, tenant, TRIMMED, details)
    return sum(removed)


def _drop_old_reads(connection: Connection, at: datetime) -> None:
    """Lists and searches are kept for a year, independent of the organisation's setting for its audit."""
    question = "SELECT %s::timestamptz - make_interval(months => %s)"
    before = (connection.execute(question, (at, MONTHS_KEPT)).fetchone() or (None,))[0]
    assert before is not None
    connection.execute("DELETE FROM page_reads WHERE id < %s", (id_at(before),))


def append(
    connection: Connection,
    tenant: Tenant,
    action: str,
    details: Mapping[str, object],
    *,
    actor: Actor = SYSTEM,
    about: tuple[str, UUID | None] = ("audit", None),
) -> AuditEvent:
    """Add an event to the tenant's chain in the owner's current transaction; the last statement in it, for its lock.

    `about` is the type and the number of a record.
    """
    connection.execute("LOCK TABLE audit_turns IN SHARE UPDATE EXCLUSIVE MODE")
    head = "SELECT seq, hash, clock_timestamp() FROM audit_events WHERE chain = %s ORDER BY seq DESC LIMIT 1"
    seq, previous, at = connection.execute(head, (tenant.id,)).fetchone() or (0, BEFORE_THE_FIRST, now())
    event = AuditEvent(
        id=new_id(), chain=tenant.id, seq=seq + 1, at=at, previous_hash=previous, actor_kind=actor.kind,
        actor_id=actor.id, actor_name=actor.name, action=action, record_type=about[0], record_id=about[1],
        subject="", details=exact(details), request_id="", salt=secrets.token_bytes(SALT_BYTES),
    )  # fmt: skip
    assert event.salt
    event.private_hash = private_hash(event.salt, event.subject, event.details)
    event.hash = link_hash(frame_of(event))
    _insert(connection, event)
    return event


def _insert(connection: Connection, event: AuditEvent) -> None:
    names = list(AuditEvent.__table__.columns.keys())
    values = [Jsonb(value) if isinstance(value := getattr(event, name), dict) else value for name in names]
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    places = sql.SQL(", ").join([sql.Placeholder()] * len(names))
    connection.execute(sql.SQL("INSERT INTO audit_events ({}) VALUES ({})").format(columns, places), values)


def _delete(connection: Connection, chain: object, seq: int) -> int:
    return connection.execute("DELETE FROM audit_events WHERE chain = %s AND seq <= %s", (chain, seq)).rowcount


def _tenants() -> list[Tenant]:
    base = runtime().settings.base_domain
    with control_transaction() as session:
        records = session.query(TenantRecord.id).where(TenantRecord.state.in_(("active", "suspended"))).all()
        found = [read_tenant(session, row.id, base) for row in records]
    return [tenant for tenant in found if tenant is not None and is_served(tenant.version)]
