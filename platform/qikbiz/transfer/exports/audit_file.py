"""The audit as a file: JSON Lines with a header, one event a line, and a checker that needs only Python beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.rows import class_row

from config.build import program_version
from qikbiz.audit import verify
from qikbiz.audit.models import AuditEvent
from qikbiz.audit.serialization import line_of, moment_text
from qikbiz.files.store import FileStore
from qikbiz.transfer.exports.archive import Archive
from qikbiz.transfer.exports.orders import MadeFile, Order
from qikbiz.transfer.exports.writer import Connection, check_room, one_row, snapshot, zip_in_store

# The name of the product among the exports.
AUDIT = "audit"
EVENTS_A_BLOCK = 500
# About what one event takes in the file before it is compressed, and hardly more after.
BYTES_OF_AN_EVENT = 400
READ_ME = "OPEN-ME-FIRST.txt"
_CHAINS = sql.SQL(
    "SELECT e.chain, c.events, e.seq, e.hash FROM audit_events e "
    "JOIN (SELECT chain, count(*) AS events, max(seq) AS seq FROM audit_events GROUP BY chain) c "
    "ON c.chain = e.chain AND c.seq = e.seq ORDER BY e.chain = {own}, e.chain"
)


def make_audit_file(order: Order, store: FileStore) -> MadeFile:
    """Write every event that there is, chain by chain. On any failure nothing is left behind."""
    with snapshot(order.tenant) as connection:
        moment = one_row(connection, sql.SQL("SELECT now()"))[0]
        chains = _chains(order, connection)
        total = sum(chain["events"] for chain in chains)
        check_room(order, store, total * BYTES_OF_AN_EVENT)
        order.before_table("audit_events")
        with zip_in_store(order, store) as archive:
            about = _write_events(order, connection, archive, _header(order, moment, chains), total)
            archive.add_text(READ_ME, _explanation(order, moment, total))
            archive.add_text("verify.py", Path(verify.__file__).read_text(encoding="utf-8"))
    manifest = {"files": [about], "totals": {"rows": total, "files": 1}, "left_out": {"tables": {}, "columns": {}}}
    return MadeFile(order.name, archive.size, archive.sha256, moment, manifest)


def _chains(order: Order, connection: Connection) -> list[dict[str, Any]]:
    """Each chain with its events and its head; the organisation's own comes last."""
    rows = connection.execute(_CHAINS.format(own=sql.Literal(order.tenant.id))).fetchall()
    return [{"chain": str(row[0]), "events": row[1], "seq": row[2], "hash": row[3].hex()} for row in rows]


def _header(order: Order, moment: datetime, chains: list[dict[str, Any]]) -> dict[str, Any]:
    tenant = order.tenant
    return {
        "format": verify.FORMAT,
        "format_version": verify.FORMAT_VERSION,
        "organisation": {"id": str(tenant.id), "slug": tenant.slug, "name": tenant.name},
        **order.about,
        "snapshot_at": moment_text(moment),
        "program_version": program_version(),
        "chains": chains,
    }


def _write_events(
    order: Order, connection: Connection, archive: Archive, header: dict[str, Any], total: int
) -> dict[str, Any]:
    done = 0
    with archive.member(verify.MEMBER) as member:
        member.write(_line(header))
        for chain in header["chains"]:
            for events in _blocks(connection, chain["chain"]):
                member.write(b"".join(_line(line_of(event)) for event in events))
                done += len(events)
                order.watch(done, total, "Writing the audit")
    columns = [{"name": name} for name in sorted(verify.FIELDS)]
    about = {"name": verify.MEMBER, "table": "audit_events", "rows": done, "bytes": member.size}
    return about | {"sha256": member.sha256, "columns": columns}


def _blocks(connection: Connection, chain: str) -> Iterator[list[AuditEvent]]:
    names = sql.SQL(", ").join(map(sql.Identifier, AuditEvent.__table__.columns.keys()))
    question = sql.SQL("SELECT {} FROM audit_events WHERE chain = {} ORDER BY seq").format(names, sql.Literal(chain))
    with connection.cursor(name="audit_events", row_factory=class_row(AuditEvent)) as cursor:
        cursor.execute(question)
        while events := cursor.fetchmany(EVENTS_A_BLOCK):
            yield events


def _line(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _explanation(order: Order, moment: datetime, total: int) -> str:
    words = _WORDS.format(name=order.tenant.name, moment=moment_text(moment), total=f"{total:,}", member=verify.MEMBER)
    return "\r\n".join(words.splitlines()) + "\r\n"


_WORDS = """\
Audit of {name}
Snapshot time: {moment}, {total} events.

{member} holds who did and saw what, one event a line (JSON Lines, UTF-8, times in UTC). The first line says what the
file holds. Each event has the hash of the one before it in its own hash, so that nothing can be changed, added, removed
or moved without being noticed.

To check it, with any Python from 3.8 on and without QikBiz:
    python verify.py
and, if you noted down the newest event at an earlier time (the page of the audit shows it as number:hash):
    python verify.py {member} 1234:0123456789abcdef...
"""
