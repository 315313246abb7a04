"""Making the file of an export: one snapshot, COPY by COPY, straight into the encrypted zip, in constant memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from config.fault_injection import fault
from qikbiz.files.store import FileStore
from qikbiz.kernel.database import runtime
from qikbiz.kernel.full_disks import NoDiskSpace, is_disk_full
from qikbiz.transfer.exports.archive import Archive, blocks_of, heading_line
from qikbiz.transfer.exports.beside import write_beside
from qikbiz.transfer.exports.catalogue import EVERYTHING
from qikbiz.transfer.exports.manifest import FileReport, Report, explanation, manifest_text, verifier
from qikbiz.transfer.exports.orders import MadeFile, Order
from qikbiz.transfer.exports.selection import PORTABLE, SPREADSHEET
from qikbiz.transfer.exports.sources import Source, sources
from tenants.context import Tenant, current_entry, tenant_context

Connection = psycopg.Connection[TupleRow]
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLOCKS_BETWEEN_LOOKS = 32
LONGEST_SECONDS = 6 * 3600


class NoRoom(NoDiskSpace):
    """The disk is too full for this export. Nothing was left on it."""


@dataclass(frozen=True)
class Counted:
    """A source with its rows and its cells that begin like a formula, as the snapshot has them."""

    source: Source
    rows: int
    formula_cells: dict[str, int]


def make_file(order: Order, store: FileStore) -> MadeFile:
    """Write the file. On any failure nothing is left behind. Raises NoRoom, and whatever `order` raises."""
    started = time.monotonic()
    with snapshot(order.tenant) as connection:
        moment = one_row(connection, sql.SQL("SELECT now()"))[0]
        counted = [_count(source, connection) for source in sources(order.selection, connection)]
        check_room(order, store, _estimate(counted, connection))
        fault("export.counted")
        with zip_in_store(order, store) as archive:
            reports: list[Report] = [*_write_tables(order, store, counted, archive, connection)]
            if (order.selection.scope, order.selection.product) == (EVERYTHING, PORTABLE):
                reports += write_beside(order.tenant.id, archive, order.before_table)
            manifest, text = manifest_text(order.tenant, order.selection, moment, reports, order.about)
            archive.add_text("manifest.json", text)
            archive.add_text("OPEN-ME-FIRST.txt", explanation(manifest))
            archive.add_text("verify.py", verifier())
            fault("export.manifest_written")
    # Begun seconds are not counted: what making it cost is never put too high.
    spent = int(time.monotonic() - started)
    return MadeFile(order.name, archive.size, archive.sha256, moment, manifest, spent)


@contextmanager
def zip_in_store(order: Order, store: FileStore) -> Iterator[Archive]:
    """The zip to write into; in the store under the order's name once the block is left without a failure."""
    try:
        with store.draft(order.name, order.key) as draft, Archive(draft) as archive:
            yield archive
            archive.close()
            draft.finish()
    except OSError as error:
        if is_disk_full(error):
            raise NoRoom(_no_room()) from error
        raise


@contextmanager
def snapshot(tenant: Tenant) -> Iterator[Connection]:
    """A connection of its own in one REPEATABLE READ READ ONLY transaction as the tenant's role."""
    with tenant_context(tenant, snapshot=True, statement_timeout_ms=LONGEST_SECONDS * 1000):
        connection = runtime().cells.connect(tenant.cell, current_entry().guest)
        try:
            # How values are written must not depend on how a server was set up.
            connection.execute("SET LOCAL TimeZone = 'UTC'")
            connection.execute("SET LOCAL DateStyle = 'ISO, YMD'")
            connection.execute("SET LOCAL bytea_output = 'hex'")
            yield connection
        finally:
            connection.close()


def _count(source: Source, connection: Connection) -> Counted:
    rows, *cells = one_row(connection, source.counts())
    named = dict(zip(source.formula_columns(), cells, strict=True))
    return Counted(source, rows, {name: count for name, count in named.items() if count})


def _estimate(counted: list[Counted], connection: Connection) -> int:
    """Bytes that the zip will hardly exceed: compressed rows take far less than their size in the table."""
    sizes = (one.rows * float(one_row(connection, one.source.sample())[0]) for one in counted)
    return int(sum(sizes)) // 2


def _write_tables(
    order: Order, store: FileStore, counted: list[Counted], archive: Archive, connection: Connection
) -> list[FileReport]:
    total = sum(one.rows for one in counted)
    reports: list[FileReport] = []
    for one in counted:
        order.before_table(one.source.table.name)
        fault("export.table_started")
        done = sum(report.rows for report in reports)
        reports.append(_write_table(order, store, one, archive, connection, done=done, total=total))
        fault("export.table_copied")
    return reports


def _write_table(
    order: Order, store: FileStore, one: Counted, archive: Archive, connection: Connection, *, done: int, total: int
) -> FileReport:
    source, rows, note = one.source, 0, f"Writing {one.source.file_name}"
    order.watch(done, total, note)
    with archive.member(source.file_name) as member, connection.cursor().copy(source.copy()) as copy:
        mark = BYTE_ORDER_MARK if order.selection.product == SPREADSHEET else b""
        member.write(mark + heading_line(source.headings))
        for number, (block, count) in enumerate(blocks_of(copy)):
            member.write(block)
            rows += count
            fault("export.rows_written")
            order.watch(done + rows, total, note)
            if number % BLOCKS_BETWEEN_LOOKS == 0:
                check_room(order, store, 0)
    if rows != one.rows:
        raise RuntimeError(f"{source.file_name} has {rows} rows, its snapshot {one.rows}.")
    return FileReport(source, rows, member.size, member.sha256, one.formula_cells)


def check_room(order: Order, store: FileStore, wanted: int) -> None:
    """Raises NoRoom when the disk has less than `wanted` bytes beside what must stay free."""
    if store.free_bytes() < wanted + order.reserve:
        raise NoRoom(_no_room())


def _no_room() -> str:
    return "There is not enough disk space for this export. Nothing was changed, and no partial file was left."


def one_row(connection: Connection, query: sql.SQL | sql.Composed) -> TupleRow:
    """The answer to a question that always has one."""
    row: TupleRow | None = connection.execute(query).fetchone()
    if row is None:
        raise RuntimeError("The question has always one answer.")
    return row
