"""The platform's audit as a file, in the form of the tenants' (docs/audit-format.md), line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from config.build import program_version
from qikbiz.audit import verify
from qikbiz.audit.chain import PLATFORM_CHAIN
from qikbiz.audit.models import PlatformAuditEvent
from qikbiz.audit.serialization import line_of, moment_text

EVENTS_A_BLOCK = 500


def platform_audit_lines(control: Engine) -> Iterator[bytes]:
    """Every event of one moment, after the line that says what the file holds. UTF-8, one JSON object a line."""
    alone = control.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with Session(alone) as session:
        yield _line(_header(session))
        events = select(PlatformAuditEvent).order_by(PlatformAuditEvent.seq)
        for event in session.scalars(events.execution_options(yield_per=EVENTS_A_BLOCK)):
            yield _line(line_of(event))


def _header(session: Session) -> dict[str, object]:
    moment, count = session.execute(
        select(func.now(), select(func.count(PlatformAuditEvent.id)).scalar_subquery())
    ).one()
    newest = session.scalars(select(PlatformAuditEvent).order_by(PlatformAuditEvent.seq.desc()).limit(1)).first()
    chain = {"chain": str(PLATFORM_CHAIN), "events": count}
    return {
        "format": verify.FORMAT,
        "format_version": verify.FORMAT_VERSION,
        "organisation": {"id": str(PLATFORM_CHAIN), "slug": "", "name": "the platform"},
        "snapshot_at": moment_text(moment),
        "program_version": program_version(),
        "chains": [chain | {"seq": newest.seq, "hash": newest.hash.hex()}] if newest else [],
    }


def _line(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
