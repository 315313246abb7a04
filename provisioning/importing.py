"""Importing for a customer by command: import the file under an instruction, wait, report its outcome."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from rq import Worker

from config.settings import Settings
from provisioning.application import working_application
from provisioning.cell_policy_options import policy_from_options
from provisioning.instructions import Authority, on_authority
from provisioning.tenants import tenant_named
from qikbiz.audit.actions import record_on_platform
from qikbiz.crm.schema.registry import record_type
from qikbiz.jobs.transport import queue_named, queue_store
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.kernel.errors import Conflict, Failure, NotFound, Unavailable
from qikbiz.transfer.exports.restore import LONGEST_SECONDS, is_archive, restore_archive
from qikbiz.transfer.imports import actions, import_context
from qikbiz.transfer.imports.csv_dialect import DELIMITERS, UnreadableFile
from qikbiz.transfer.imports.failed_rows import failed_rows, rows_with_skipped_cells
from qikbiz.transfer.imports.mapping import FULL_NAME, Column
from qikbiz.transfer.imports.mapping import Mapping as Columns
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.queries import (
    import_for_changing,
    import_for_reading,
    progress_of_import,
    same_import_before,
)
from qikbiz.transfer.imports.visibility import visible_cells
from qikbiz.trust.grants.scopes import GrantScope
from tenants.context import Tenant
from tenants.control import new_id
from tenants.redis import RedisAway

SECONDS_BETWEEN_LOOKS = 0.2
PATIENCE = 15.0
Watch = Callable[[int, int | None, str], None]
Say = Callable[[str], None]
Rows = Callable[..., Iterator[bytes]]


@dataclass(frozen=True)
class Choices:
    """What the person says about the file; empty, or 0, means as found. `columns` are {heading: field, or "-"}."""

    type_name: str = "contacts"
    key: str = ""
    mode: str = "upsert"
    encoding: str = ""
    delimiter: str = ""
    columns: Mapping[str, str] | None = None
    region: str = ""
    date_order: str = ""
    decimal_mark: str = "."
    again: bool = False
    is_returning: bool = False
    unreadable: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    header_row: int = 0


@dataclass(frozen=True)
class Imported:
    """What became of the file. `failed_file` holds the refused rows, `skipped_file` those with skipped cells."""

    id: UUID | None
    rows: int
    created: int
    updated: int
    unchanged: int
    invalid: int
    seconds: float
    failed_file: Path | None
    repeated: bool = False
    skipped_cells: int = 0
    skipped_file: Path | None = None

    def as_facts(self) -> dict[str, Any]:
        facts = {
            name: getattr(self, name) for name in ("rows", "created", "updated", "unchanged", "invalid", "seconds")
        }
        skipped = {"skipped_cells": self.skipped_cells, "skipped_file": self.skipped_file}
        return {"import": self.id, **facts, "failed_file": self.failed_file, "repeated": self.repeated, **skipped}


def import_for_customer(
    settings: Settings, slug: str, file: Path, choices: Choices, *, authority: Authority, watch: Watch, say: Say
) -> Imported:
    """Import `file` and wait. Raises Failure with a sentence; `say` gets what else the operator should know."""
    begun = time.monotonic()
    scope = GrantScope.RESTORE if is_archive(file) else GrantScope.IMPORT
    with (
        working_application(settings) as runtime,
        on_authority(settings, tenant := tenant_named(runtime, slug), authority, scope),
    ):
        _record_on_platform(tenant, "import.asked", file.name)
        if scope is GrantScope.RESTORE:
            return _restore(tenant, file, begun, watch, is_own=choices.is_returning)
        import_id = _upload(tenant, file, choices)
        earlier = _choose(tenant, import_id, choices, say)
        if earlier is not None and not choices.again:
            say(
                f"This file was imported before with the same options, as {earlier.id}. Nothing was done. Use "
                "--again to import it again."
            )
            return _result(earlier, None, begun, repeated=True)
        for ask in (actions.ask_check, actions.ask_apply):
            with tenant_transaction(tenant):
                ask(import_for_changing(import_id))
            found = _wait(tenant, import_id, watch)
        failed = _write_rows(tenant, found, file, "failed", failed_rows) if found.counts["invalid"] else None
        skips = found.counts.get("skipped_cells")
        skipped = _write_rows(tenant, found, file, "skipped", rows_with_skipped_cells) if skips else None
        return _result(found, failed, begun, skipped=skipped)


def undo_for_customer(
    settings: Settings, slug: str, import_id: UUID, *, authority: Authority, watch: Watch, anyway: bool = False
) -> dict[str, Any]:
    """Take a whole import back and wait. Gives reversed, kept, failed; under a grant the ids of what was kept too."""
    with (
        working_application(settings) as runtime,
        on_authority(settings, tenant := tenant_named(runtime, slug), authority, GrantScope.IMPORT) as allowed,
    ):
        _record_on_platform(tenant, "import.undo_asked", str(import_id))
        with tenant_transaction(tenant):
            found = import_for_changing(import_id)
            # What the customer's own people brought in is not the staff's to take away on an instruction.
            if not allowed.shows_values and found.grant_id != allowed.grant_id:
                raise NotFound(
                    "This instruction did not create that import, so it can't undo it. A user of the tenant can "
                    "undo it on the import's page. Or use --grant with an access of the tenant."
                )
            actions.ask_undo(found, anyway=anyway)
        done = dict(_wait(tenant, import_id, watch).undo_counts)
        # Under an instruction staff see counts, never what is stored.
        return done if allowed.shows_values else {name: number for name, number in done.items() if _is_count(number)}


def _is_count(value: object) -> bool:
    return isinstance(value, int)


def _upload(tenant: Tenant, file: Path, choices: Choices) -> UUID:
    with file.open("rb") as content, tenant_transaction(tenant, statement_timeout_ms=60_000):
        return actions.start_import(new_id(), choices.type_name, file.name, content).id


def _choose(tenant: Tenant, import_id: UUID, choices: Choices, say: Say) -> Import | None:
    """Settle format and columns. Gives an import of the same file with the same choices, if there was one."""
    with tenant_transaction(tenant):
        found = import_for_changing(import_id)
        _settle_format(found, choices)
        mapping = _mapping(found, choices, say)
        options = {
            "region": choices.region.upper(),
            "date_order": choices.date_order,
            "decimal_mark": choices.decimal_mark,
        }
        key = choices.key or found.key_field
        actions.choose_columns(found, mapping, key=key, mode=choices.mode, options=options)
        if choices.unreadable or choices.values:
            actions.choose_cell_policy(found, policy_from_options(found, choices.unreadable, choices.values))
        return same_import_before(found)


def _settle_format(found: Import, choices: Choices) -> None:
    encoding, delimiter = choices.encoding or found.encoding, choices.delimiter or found.delimiter
    if not encoding:
        detected = import_context.detection_of(found)
        lines = "".join(f"\n  line {line.line}: {line.text}" for line in detected.differences)
        raise UnreadableFile(
            f"The file is not UTF-8. Read as {detected.proposed}, these lines come out as:{lines}\nIf that is right, "
            f"use --encoding {detected.proposed}; with --encoding utf-8 such cells are skipped and listed."
        )
    if delimiter not in DELIMITERS:
        raise UnreadableFile("The delimiter can be a comma, a semicolon, a tab or a vertical bar.")
    if (encoding, delimiter) != (found.encoding, found.delimiter):
        actions.choose_format(found, encoding=encoding, delimiter=delimiter, has_header=True)
    if choices.header_row:
        # A choice of its own: read otherwise, a file has its headings looked for again.
        actions.choose_format(
            found, encoding=encoding, delimiter=delimiter, has_header=True, header_row=choices.header_row
        )


def _mapping(found: Import, choices: Choices, say: Say) -> Columns:
    columns = {column.place: column for column in Columns.from_json(found.mapping).columns}
    for heading, target in (choices.columns or {}).items():
        if heading not in found.header:
            raise NotFound(f"The file has no column “{heading}”. It has: {', '.join(found.header)}.")
        place = found.header.index(heading)
        columns.pop(place, None)
        if target not in ("-", ""):
            name, _, label = target.partition(":")
            _refuse_unknown_field(found, name)
            columns[place] = Column(place, name, label)
    left = [heading for place, heading in enumerate(found.header) if place not in columns]
    if left:
        say(f"Columns not imported: {', '.join(left)}. Use --map 'COLUMN=field' to import one.")
    return Columns(tuple(columns[place] for place in sorted(columns)))


def _refuse_unknown_field(found: Import, name: str) -> None:
    wanted = record_type(found.record_type)
    names = [field.name for field in wanted.importable()] + ([FULL_NAME] if wanted.is_person else [])
    if name not in names:
        raise NotFound(f"{wanted.plural_label} have no field {name!r}. They have: {', '.join(names)}.")


def _wait(tenant: Tenant, import_id: UUID, watch: Watch) -> Import:
    began = time.monotonic()
    while True:
        # One snapshot: a job that ends between the two looks would else seem to have been cancelled.
        with tenant_transaction(tenant, snapshot=True):
            found = import_for_reading(import_id)
            progress = progress_of_import(found)
        if progress is None or progress.is_over:
            _refuse_stopped(found, progress.error_text if progress else "", progress.error_ref if progress else "")
            return found
        if progress.is_waiting and time.monotonic() - began > PATIENCE and not _has_worker():
            raise Unavailable(
                f"No import worker is running. Start the product (`make run`) to continue import {import_id}."
            )
        watch(progress.done, progress.total, progress.note)
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _has_worker() -> bool:
    """Whether one is there, if perhaps busy with another import."""
    try:
        with queue_store().client() as client:
            return bool(Worker.all(queue=queue_named("imports", client)))
    except RedisAway:
        return False


def _refuse_stopped(found: Import, error: str, reference: str) -> None:
    if found.problem:
        raise Conflict(found.problem)
    if found.state not in ("checked", "applied", "undone"):
        raise Failure(f"{error or 'The import was cancelled.'}{f' (reference {reference})' if reference else ''}")


def _write_rows(tenant: Tenant, found: Import, file: Path, name: str, rows: Rows) -> Path:
    """Beside the file when that can be written, else in the working directory."""
    folder = file.resolve().parent if os.access(file.resolve().parent, os.W_OK) else Path.cwd()
    target = folder / f"{file.stem}.{name}-{found.id.hex[-6:]}.csv"
    with tenant_transaction(tenant):
        visible = visible_cells(found)
    with target.open("wb") as out:
        for piece in rows(found.id, _transactions(tenant), visible):
            out.write(piece)
    return target


def _transactions(tenant: Tenant) -> Callable[[], AbstractContextManager[Any]]:
    @contextmanager
    def transaction() -> Iterator[Any]:
        with tenant_transaction(tenant) as session:
            yield session

    return transaction


def _result(
    found: Import, failed: Path | None, begun: float, *, repeated: bool = False, skipped: Path | None = None
) -> Imported:
    counts = {name: found.counts[name] for name in ("created", "updated", "unchanged", "invalid")}
    seconds = round(time.monotonic() - begun, 2)
    cells = found.counts.get("skipped_cells", 0)
    return Imported(found.id, found.rows, **counts, seconds=seconds, failed_file=failed, repeated=repeated,
                    skipped_cells=cells, skipped_file=skipped)  # fmt: skip


def _restore(tenant: Tenant, file: Path, begun: float, watch: Watch, *, is_own: bool) -> Imported:
    with tenant_transaction(tenant, statement_timeout_ms=LONGEST_SECONDS * 1000):
        restored = restore_archive(file, watch=watch, is_own=is_own)
    return Imported(None, restored.records, restored.records, 0, 0, 0, round(time.monotonic() - begun, 2), None)


def _record_on_platform(tenant: Tenant, action: str, subject: str) -> None:
    with control_transaction():
        record_on_platform(action, tenant_id=tenant.id, subject=subject, details={"tenant": tenant.slug})
