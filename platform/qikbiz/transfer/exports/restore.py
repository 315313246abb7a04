"""Bringing a portable export back into an organisation that has no records yet, row by row as it was.

What can't come back is named in the catalogue: passwords (everybody is invited anew), files, mails, past imports.
"""

from __future__ import annotations

import csv
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.orm import Session

from config.fault_injection import fault
from qikbiz.audit.actions import record
from qikbiz.audit.models import AuditEvent, RecordChange
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.kernel.database import require_tenant_session
from qikbiz.kernel.errors import Conflict
from qikbiz.kernel.read_only import refuse_change
from qikbiz.transfer.exports.catalogue import EVERYTHING, EXPORTED, ExportedTable
from qikbiz.transfer.exports.contributions import ERASED_AT, ROW_FILTER
from qikbiz.transfer.exports.loading import NotRestorable, TableLoader
from qikbiz.transfer.exports.manifest import FORMAT, FORMAT_VERSION, MANIFEST
from qikbiz.transfer.exports.selection import PORTABLE
from qikbiz.transfer.exports.verify import verify
from tenants.context import current_tenant

Watch = Callable[[int, int, str], None]
LONGEST_SECONDS = 3600
# No export of ours has more; a zip that was made to fill the disk or the time has.
MOST_MEMBERS = 64
# What `zipfile` raises for zips that lie: about their sizes, their compression, or being encrypted.
UNREADABLE = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, csv.Error),
)
MOST_BYTES = 64 * 1024**3


@dataclass(frozen=True)
class Restored:
    """Rows brought back, by table; `joined_users` are those whose address had a login here already."""

    rows: Mapping[str, int]
    joined_users: int

    @property
    def records(self) -> int:
        return sum(self.rows.get(name, 0) for name in RECORD_TYPES)


def _ignore(_done: int, _total: int, _note: str) -> None:
    """No one is watching."""


def _show(watch: Watch, before: int, total: int, table: str, count: int) -> None:
    watch(before + count, total, f"Restoring {table}")


def is_archive(path: Path) -> bool:
    """Whether the file is a zip of ours, whole or not."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(MANIFEST) as file:
            return bool(json.load(file).get("format") == FORMAT)
    except UNREADABLE:
        return False


def restore_archive(path: Path, *, watch: Watch = _ignore, is_own: bool = False) -> Restored:
    """Restore everything into the tenant entered, in the transaction at hand: all of it or nothing.

    `is_own`: a customer whose account was erased has come back and brings its own file. Without it such a file is
    refused, since it would bring back what was erased (promise P13).
    Raises NotRestorable, and Conflict when the tenant has records already.
    """
    session = require_tenant_session()
    refuse_change(current_tenant())
    manifest = checked_manifest(path)
    _refuse_erased(manifest, is_own=is_own)
    _refuse_unless_empty(session)
    session.execute(text(f"SET LOCAL statement_timeout = {LONGEST_SECONDS * 1000}"))
    total, done = sum(_listed(manifest, table)["rows"] for table in _restored_tables()), 0
    same_people: dict[str, str] = {}
    row_filter = ROW_FILTER.value(session, manifest)
    rows: dict[str, int] = {}
    with zipfile.ZipFile(path) as archive:
        for table in _restored_tables():
            loader = TableLoader(session, table, _listed(manifest, table), same_people, row_filter)
            rows[table.name] = loader.load(archive, partial(_show, watch, done, total, table.name))
            done += rows[table.name]
            fault("restore.table_loaded")
    facts = {"rows": rows, "from": manifest["organisation"]["slug"], "snapshot_at": manifest["snapshot_at"]}
    record("archive.restored", record_type="archive", details=facts | row_filter.facts() | _restored_audit(session))
    return Restored(rows, len(same_people))


def _restored_audit(session: Session) -> dict[str, Any]:
    """The newest link of each chain that came along, so that it is vouched for from now on."""
    heads = select(AuditEvent.chain, func.max(AuditEvent.seq)).group_by(AuditEvent.chain)
    newest = select(AuditEvent).where(tuple_(AuditEvent.chain, AuditEvent.seq).in_(heads))
    others = session.scalars(newest.where(AuditEvent.chain != current_tenant().id).order_by(AuditEvent.chain))
    found = [{"chain": str(one.chain), "seq": one.seq, "hash": one.hash.hex()} for one in others]
    return {"audit": found} if found else {}


def checked_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a whole, portable export of everything. Raises NotRestorable with the reason."""
    try:
        _refuse_bomb(path)
        manifest, problems = verify(path)
        kind = (manifest["format"], manifest["format_version"])
        scope = (manifest["product"], manifest["scope"])
    except UNREADABLE as error:
        raise NotRestorable("This zip is not a QikBiz export.") from error
    if kind != (FORMAT, FORMAT_VERSION):
        raise NotRestorable("This export was written by a newer version of QikBiz. Update this one first.")
    if scope != (PORTABLE, EVERYTHING):
        raise NotRestorable(
            "Only a portable export of everything can be restored. To import one list, use its CSV file."
        )
    if problems:
        raise NotRestorable(f"This export is incomplete or changed: {problems[0]}.")
    for table in _restored_tables():
        _refuse_unknown_columns(table, _listed(manifest, table))
    return manifest


def _refuse_bomb(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    is_odd = any("/" in member.filename or member.flag_bits & 1 for member in members)
    if is_odd or len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_BYTES:
        raise NotRestorable(
            "This zip is not a QikBiz export: it contains folders, encrypted files, or far too much data."
        )


def _restored_tables() -> list[ExportedTable]:
    return [table for table in EXPORTED if table.is_restored]


def _listed(manifest: dict[str, Any], table: ExportedTable) -> dict[str, Any]:
    for entry in manifest["files"]:
        if entry["table"] == table.name:
            return cast(dict[str, Any], entry)
    raise NotRestorable(f"The table {table.name} is missing from this export.")


def _refuse_unknown_columns(table: ExportedTable, entry: dict[str, Any]) -> None:
    unknown = [column["name"] for column in entry["columns"] if column["name"] not in table.columns]
    if unknown:
        raise NotRestorable(f"This program has no column {unknown[0]!r} in {table.name}. Update it first.")


def _refuse_erased(manifest: dict[str, Any], *, is_own: bool) -> None:
    erased_at = ERASED_AT.value(UUID(manifest["organisation"]["id"]))
    if erased_at is not None and not is_own:
        raise NotRestorable(
            f"The organisation that this file is from was erased on {erased_at:%d %B %Y}. Only that customer "
            "may have it restored: use --returning, on its written instruction."
        )


def _refuse_unless_empty(session: Session) -> None:
    models: list[Any] = [*(one.model for one in RECORD_TYPES.values()), RecordChange]
    for model in models:
        if session.execute(select(model.id).limit(1)).first() is not None:
            raise Conflict("An export is restored only into an organisation that has no contacts and companies yet.")
