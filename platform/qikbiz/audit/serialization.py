"""An event of the database in the form in which it is hashed and written into files (docs/audit-format.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from qikbiz.audit.models import AuditEvent, PlatformAuditEvent
from qikbiz.audit.verify import FORMAT_VERSION

SALT_BYTES = 16


def frame_of(happened: AuditEvent | PlatformAuditEvent) -> dict[str, object]:
    """What the event's hash is made over."""
    return {
        "format": FORMAT_VERSION,
        "chain": str(happened.chain),
        "seq": happened.seq,
        "previous": happened.previous_hash.hex(),
        "at": moment_text(happened.at),
        "private": happened.private_hash.hex(),
        **{name: _plain(getattr(happened, name)) for name in happened.FRAMED},
    }


def line_of(happened: AuditEvent | PlatformAuditEvent) -> dict[str, object]:
    """The event as one line of an audit file."""
    line = frame_of(happened)
    del line["format"]
    private = {"subject": happened.subject, "details": happened.details}
    return line | private | {"salt": happened.salt.hex() if happened.salt else None, "hash": happened.hash.hex()}


def moment_text(moment: datetime) -> str:
    """`2026-11-22T18:05:09.123456Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def exact(details: Mapping[str, object]) -> object:
    """The details as they come back from the database: what JSON has no exact form for becomes text."""
    return json.loads(json.dumps(dict(details), allow_nan=False), parse_float=str)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value
