"""Exporting for a customer by command: ask under its word, wait for the worker, write the file where a grant allows it.

Under an instruction the file is the customer's alone to fetch, and the command shows counts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from config.settings import Settings
from provisioning.application import working_application
from provisioning.instructions import Allowed, Authority, on_authority
from provisioning.tenants import tenant_named
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.errors import Failure, Unavailable
from qikbiz.transfer.exports.actions import ask_for_export, file_of, note_fetch
from qikbiz.transfer.exports.queries import Standing, export_for_reading
from qikbiz.transfer.exports.selection import Selection
from qikbiz.trust.grants.scopes import GrantScope
from tenants.context import Tenant

SECONDS_BETWEEN_LOOKS = 0.1
# A worker that runs takes the job at once; with the sweeper's help after a few seconds.
PATIENCE = 20.0
Watch = Callable[[int, int | None, str], None]


@dataclass(frozen=True)
class FetchedExport:
    """An export that was made; it lies decrypted at `path`, or is the customer's to fetch when that is None."""

    id: UUID
    path: Path | None
    files: tuple[Mapping[str, Any], ...]
    bytes: int
    sha256: str
    seconds: float


def export_for_customer(
    settings: Settings,
    slug: str,
    *,
    authority: Authority,
    scope: str,
    product: str,
    output: Path | None,
    watch: Watch,
    filters: Mapping[str, Sequence[str]] | None = None,
) -> FetchedExport:
    """Have the export made and write it to `output`, whole or not at all. Raises Failure, Unavailable."""
    if output is not None:
        _refuse_place(output)
    begun = time.monotonic()
    with working_application(settings) as runtime:
        tenant = tenant_named(runtime, slug)
        with on_authority(settings, tenant, authority, GrantScope.EXPORT) as allowed:
            _refuse_output(allowed, output)
            with tenant_transaction(tenant):
                export_id = ask_for_export(Selection(scope, product, filters)).id
            standing = _wait(tenant, export_id, watch)
            if output is not None:
                _write(tenant, export_id, output)
    export = standing.export
    files = tuple({name: file[name] for name in ("name", "rows", "sha256")} for file in export.manifest["files"])
    seconds = round(time.monotonic() - begun, 2)
    return FetchedExport(export.id, output, files, export.file_bytes or 0, export.file_sha256 or "", seconds)


def _refuse_place(output: Path) -> None:
    if output.is_dir() or not output.parent.is_dir():
        raise Failure(f"{output} can't be written. Use a file name in an existing folder.")


def _refuse_output(allowed: Allowed, output: Path | None) -> None:
    if allowed.shows_values and output is None:
        raise Failure("Use --output to choose where to write the file.")
    if not allowed.shows_values and output is not None:
        raise Failure(
            "With an instruction, only the customer's administrators can download the file, under Exports. Omit "
            "--output. To write the file here, the customer has to grant access for exports (--grant)."
        )


def _wait(tenant: Tenant, export_id: UUID, watch: Watch) -> Standing:
    began = time.monotonic()
    while True:
        with tenant_transaction(tenant):
            standing = export_for_reading(export_id)
        if standing.state == "ready":
            return standing
        if not standing.is_open:
            raise Failure(f"{standing.problem} (reference {standing.reference})")
        if standing.state == "waiting" and time.monotonic() - began > PATIENCE and not _is_under_way(standing):
            raise Unavailable("No export worker is running. Start the product (`make run`) to continue the export.")
        watch(standing.done, standing.total or None, standing.note)
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _is_under_way(standing: Standing) -> bool:
    # Behind another export of the same customer: its job comes back later on its own.
    return standing.job is not None and (standing.job.attempt > 0 or standing.job.run_at > standing.job.created_at)


def _write(tenant: Tenant, export_id: UUID, output: Path) -> None:
    part = output.with_name(f"{output.name}.part")
    try:
        with tenant_transaction(tenant):
            export = export_for_reading(export_id).export
            stored = file_of(export)
            note_fetch(export, first=0, last=stored.size - 1, device="the command line")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
            for piece in stored.read():
                target.write(piece)
            target.flush()
            os.fsync(target.fileno())
        part.rename(output)
    finally:
        part.unlink(missing_ok=True)
