"""Support working for a customer on its instruction: exports and imports, seen here as states and counts only.

What the customer's records say is never read into a page of the console; the customer sees the act and the
instruction in its own audit, and fetches its export itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import select

from qikbiz.actors import Actor, acting_as, current_actor
from qikbiz.audit.actions import record_on_platform
from qikbiz.console.tenant_actions import BadTenant
from qikbiz.database import db, runtime, tenant_work
from qikbiz.exports.actions import ask_for_export
from qikbiz.exports.models import Export
from qikbiz.exports.queries import export_for_reading
from qikbiz.exports.selection import Selection
from qikbiz.failures import Conflict, NotFound
from qikbiz.imports import actions as importing
from qikbiz.imports.mapping import Mapping
from qikbiz.imports.models import Import
from qikbiz.imports.queries import import_for_changing, progress_of_import
from tenants.context import Tenant

LONGEST_INSTRUCTION = 500
SHOWN = 20


@dataclass(frozen=True)
class Act:
    """One export or import that staff made for the customer: how it stands, in numbers."""

    kind: str
    id: UUID
    what: str
    state: str
    instruction: str
    by: str
    at: datetime
    done: int = 0
    total: int = 0
    note: str = ""
    problem: str = ""
    counts: dict[str, Any] | None = None
    is_working: bool = False


def tenant_to_serve(slug: str) -> Tenant:
    """Raises NotFound, and Conflict while the tenant's doors are closed."""
    tenant = runtime().directory.tenant_by_slug(slug)
    if tenant is None:
        raise NotFound
    if tenant.state != "active":
        raise Conflict(f"{tenant.name} is {tenant.state}; nothing can be done for it now.")
    return tenant


def export_for(tenant: Tenant, instruction: str, *, scope: str, product: str, export_id: UUID) -> UUID:
    """Ask for an export in the customer's name; the same `export_id` twice is one export."""
    with _on_instruction(tenant, instruction):
        export = ask_for_export(Selection(scope=scope, product=product), export_id=export_id)
        record_on_platform("tenant.export_asked", tenant_id=tenant.id, subject=tenant.slug, details=_said(instruction))
        return export.id


def import_for(
    tenant: Tenant, instruction: str, file: BinaryIO, file_name: str, *, import_id: UUID, choices: dict[str, str]
) -> UUID:
    """Upload a file in the customer's name and have the dry run made, with the columns as their headings say."""
    with _on_instruction(tenant, instruction):
        found = importing.start_import(import_id, choices["type"], file_name, file)
        guessed = Mapping.from_json(found.mapping)
        importing.choose_columns(found, guessed, key=choices["key"], mode=choices["mode"], options={})
        importing.ask_check(found)
        record_on_platform("tenant.import_asked", tenant_id=tenant.id, subject=tenant.slug, details=_said(instruction))
        return found.id


def apply_import(tenant: Tenant, import_id: UUID) -> None:
    _go_on(tenant, import_id, importing.ask_apply, "tenant.import_applied")


def undo_import(tenant: Tenant, import_id: UUID) -> None:
    _go_on(tenant, import_id, importing.ask_undo, "tenant.import_undone")


def acts_for(tenant: Tenant) -> list[Act]:
    """What staff did for the customer, the newest first."""
    with tenant_work(tenant):
        exports = db.session.scalars(
            select(Export).where(Export.actor_kind == "staff").order_by(Export.id.desc()).limit(SHOWN)
        ).all()
        imports = db.session.scalars(
            select(Import).where(Import.actor_kind == "staff").order_by(Import.id.desc()).limit(SHOWN)
        ).all()
        acts = [*(_export_act(export) for export in exports), *(_import_act(found) for found in imports)]
    return sorted(acts, key=lambda act: act.at, reverse=True)


def act_for(tenant: Tenant, kind: str, act_id: UUID) -> Act:
    with tenant_work(tenant):
        if kind == "exports":
            export = db.session.get(Export, act_id)
            if export is None or export.actor_kind != "staff":
                raise NotFound
            return _export_act(export)
        return _import_act(_staff_import(db.session.get(Import, act_id)))


@contextmanager
def _on_instruction(tenant: Tenant, instruction: str) -> Iterator[None]:
    said = " ".join(instruction.split())
    if not said:
        raise BadTenant("Write down who asked for this and where: the customer reads it in its audit.")
    if len(said) > LONGEST_INSTRUCTION:
        raise BadTenant(f"The instruction has {len(said):,} characters; {LONGEST_INSTRUCTION} are enough.")
    me = current_actor()
    with acting_as(Actor("staff", me.id, me.name, said, me.request_id)), tenant_work(tenant):
        yield


def _go_on(tenant: Tenant, import_id: UUID, ask: Any, act: str) -> None:
    with tenant_work(tenant):
        found = _staff_import(db.session.get(Import, import_id))
        instruction = found.instruction or ""
    with _on_instruction(tenant, instruction):
        ask(import_for_changing(import_id))
    details = {"import": str(import_id), **_said(instruction)}
    record_on_platform(act, tenant_id=tenant.id, subject=tenant.slug, details=details)


def _staff_import(found: Import | None) -> Import:
    # What the customer's own people import is not the staff's to see or go on with.
    if found is None or found.actor_kind != "staff":
        raise NotFound
    return found


def _export_act(export: Export) -> Act:
    standing = export_for_reading(export.id)
    what = "Everything" if export.scope == "everything" else export.scope.capitalize()
    return Act(
        "exports",
        export.id,
        f"{what}, {export.product}",
        standing.state,
        export.instruction or "",
        export.requested_by_name,
        export.requested_at,
        standing.done,
        standing.total,
        standing.note,
        standing.problem if standing.state == "failed" else "",
        is_working=standing.is_open,
    )


def _import_act(found: Import) -> Act:
    progress = progress_of_import(found)
    working = progress is not None and not progress.is_over
    return Act(
        "imports",
        found.id,
        found.record_type.capitalize(),
        found.state,
        found.instruction or "",
        found.created_by_name,
        found.created_at,
        progress.done if progress else 0,
        (progress.total or 0) if progress else 0,
        progress.note if progress else "",
        found.problem or (progress.error_text if progress and progress.is_over else ""),
        {name: number for name, number in found.counts.items() if isinstance(number, int)},
        is_working=working,
    )


def _said(instruction: str) -> dict[str, str]:
    return {"instruction": " ".join(instruction.split())}
