"""Support working for a customer under its grant: exports and imports, seen here as states and counts only.

What the customer's records say is never read into a page of the console; the customer sees the act and the grant in
its own audit, and fetches its export itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import select

from qikbiz.audit.actions import record_on_platform
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.kernel.actors import Actor, acting_as, current_actor
from qikbiz.kernel.database import NoGrant, control_transaction, db, runtime, tenant_transaction
from qikbiz.kernel.errors import Conflict, NotFound
from qikbiz.transfer.exports.actions import ask_for_export
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.queries import export_for_reading
from qikbiz.transfer.exports.selection import Selection
from qikbiz.transfer.imports import actions as importing
from qikbiz.transfer.imports.mapping import Mapping as Columns
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.queries import import_for_changing, progress_of_import
from qikbiz.trust.grants import instructions as instructing
from qikbiz.trust.grants.instructions import can_instruct
from qikbiz.trust.grants.models import Grant
from qikbiz.trust.grants.queries import (
    OVER,
    access_policy,
    admits,
    grant_in_force,
    grant_of,
    grants_for_staff,
    guest_of,
    instruction_of,
    is_in_force,
    is_opening,
    waiting_instructions,
)
from qikbiz.trust.grants.scopes import GrantScope
from qikbiz.trust.grants.tickets import put_instruction_on_work_list
from qikbiz.trust.tickets.actions import record_act
from qikbiz.trust.tickets.models import Ticket
from tenants.context import Tenant

SHOWN = 20
EXPORT_PRODUCTS = [
    ("portable", "Portable: exact, can be imported again"),
    ("spreadsheet", "Spreadsheet: safe from formulas"),
]


def export_scopes() -> list[tuple[str, str]]:
    """What an agent can export: (what a form sends, how it reads)."""
    return [("everything", "Everything"), *((name, kind.plural_label) for name, kind in RECORD_TYPES.items())]


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
    counts: dict[str, object] | None = None
    is_working: bool = False


def tenant_to_serve(slug: str) -> Tenant:
    """Raises NotFound, and Conflict while the tenant's doors are closed."""
    tenant = runtime().directory.tenant_by_slug(slug)
    if tenant is None:
        raise NotFound
    if tenant.state != "active":
        raise Conflict(f"{tenant.name} is {tenant.state}, so support actions are not available.")
    return tenant


def record_instruction(tenant: Tenant, scope: GrantScope, words: str, *, about: Ticket | None = None) -> Grant:
    """Write down what a customer asked for: on the ticket `about` where it did, or elsewhere.

    Raises BadGrant, and Conflict when nobody who has a say there asked.
    """
    if about is not None and not can_instruct(tenant, about.person_id):
        raise Conflict(
            f"The sender can't give instructions for {tenant.name}; only its administrators can. Ask one of them to "
            "grant access under Settings, Support access."
        )
    grant = instructing.record_instruction(tenant, scope, words, about=about)
    if about is None:
        put_instruction_on_work_list(tenant, grant)
    return grant


def confirm_instruction(tenant: Tenant, grant_id: UUID) -> Grant:
    """A second member of staff confirms what a customer's ticket asks for. Raises Conflict, Forbidden, NotFound."""
    with control_transaction() as control:
        grant = grant_of(control, tenant.id, grant_id)
        instructing.confirm_as_second(tenant, grant, _ticket_of(grant))
    return grant


@dataclass(frozen=True)
class Waiting:
    """An instruction that nobody may act on yet. `problem` is why the current user can't confirm it, or empty."""

    grant: Grant
    problem: str


def instructions_waiting(tenant: Tenant) -> list[Waiting]:
    """What was written down and is not confirmed, or opens later."""
    me = current_actor()
    with control_transaction() as control:
        policy = access_policy(control, tenant.id)
        found = []
        for grant in waiting_instructions(control, tenant.id):
            problem = instructing.why_only_customer(tenant, policy, _ticket_of(grant))
            if not problem and grant.recorded_by in (None, me.id):
                problem = "Another member of staff or the customer can confirm it."
            found.append(Waiting(grant, problem))
        return found


def export_for(
    tenant: Tenant, grant_id: UUID, *, scope: str, product: str, export_id: UUID, about: Ticket | None = None
) -> UUID:
    """Ask for an export under a grant; the same `export_id` twice is one export. Raises NoGrant.

    It is recorded on the ticket `about` which it is made, else on the one that the grant belongs to.
    """
    with _under(tenant, grant_id, GrantScope.EXPORT) as grant:
        export = ask_for_export(Selection(scope=scope, product=product), export_id=export_id)
        _on_platform("tenant.export_asked", tenant, grant)
    _record_on_ticket(about, grant, "exports", export_id, "Export started.")
    return export.id


def import_for(
    tenant: Tenant, grant_id: UUID, file: BinaryIO, file_name: str, *, import_id: UUID, choices: dict[str, str]
) -> UUID:
    """Upload a file under a grant and have the dry run made, with the columns as their headings say. Raises NoGrant."""
    with _under(tenant, grant_id, GrantScope.IMPORT) as grant:
        found = importing.start_import(import_id, choices["type"], file_name, file)
        guessed = Columns.from_json(found.mapping)
        importing.choose_columns(found, guessed, key=choices["key"], mode=choices["mode"], options={})
        importing.ask_check(found)
        _on_platform("tenant.import_asked", tenant, grant)
    _record_on_ticket(None, grant, "imports", import_id, "File uploaded for checking.")
    return import_id


def apply_import(tenant: Tenant, grant_id: UUID, import_id: UUID) -> None:
    _go_on(tenant, grant_id, import_id, importing.ask_apply, "tenant.import_applied")


def undo_import(tenant: Tenant, grant_id: UUID, import_id: UUID) -> None:
    _go_on(tenant, grant_id, import_id, importing.ask_undo, "tenant.import_undone")


def acts_for(tenant: Tenant) -> list[tuple[Grant, Act]]:
    """What staff did under the grants in force, the newest first. What is over stands in the platform's audit only."""
    return _acts(tenant, grants_in_force(tenant))


def acts_about(tenant: Tenant, ticket: Ticket, noted: Mapping[UUID, UUID | None]) -> list[tuple[Grant, Act]]:
    """Those of a ticket: all that was done under its own grants, and the acts {act: grant} `noted` on it under others.

    A page asks each second: no other grant's login is entered.
    """
    grants = [one for one in grants_in_force(tenant) if one.ticket_id == ticket.id or one.id in noted.values()]
    return [(grant, act) for grant, act in _acts(tenant, grants) if grant.ticket_id == ticket.id or act.id in noted]


def _acts(tenant: Tenant, grants: Iterable[Grant]) -> list[tuple[Grant, Act]]:
    acts: list[tuple[Grant, Act]] = []
    for grant in grants:
        if not {GrantScope.EXPORT, GrantScope.IMPORT}.isdisjoint(grant.scopes):
            with _under(tenant, grant.id):
                acts += [(grant, act) for act in _acts_under(grant)]
    return sorted(acts, key=lambda pair: pair[1].at, reverse=True)


def act_for(tenant: Tenant, grant_id: UUID, kind: str, act_id: UUID) -> Act:
    """One of them. Raises NoGrant, and NotFound for what was not done under this grant."""
    with _under(tenant, grant_id):
        if kind == "exports":
            export = db.session.get(Export, act_id)
            if export is None or export.grant_id != grant_id:
                raise NotFound
            return _export_act(export)
        return _import_act(_import_under(grant_id, act_id))


def grants_in_force(tenant: Tenant) -> list[Grant]:
    """Those that let the current member of staff in now."""
    me = current_actor()
    with control_transaction() as control:
        return [grant for grant in grants_for_staff(control, tenant.id, me.id) if is_in_force(grant)]


def grants_coming(tenant: Tenant) -> list[Grant]:
    """Those whose login the worker is making just now."""
    me = current_actor()
    with control_transaction() as control:
        return [grant for grant in grants_for_staff(control, tenant.id, me.id) if is_opening(grant)]


@contextmanager
def _under(tenant: Tenant, grant_id: UUID, scope: GrantScope | None = None) -> Iterator[Grant]:
    """Work inside the tenant by the role of the grant. Raises NoGrant."""
    me = current_actor()
    with control_transaction() as control:
        grant = grant_in_force(control, tenant.id, grant_id)
        if not admits(grant, me.id) or (scope is not None and scope not in grant.scopes):
            raise NoGrant(OVER)
        guest = guest_of(grant)
    actor = Actor("staff", me.id, me.name, instruction_of(grant), me.request_id, grant=grant.id)
    with acting_as(actor), tenant_transaction(tenant, guest=guest):
        yield grant


def _acts_under(grant: Grant) -> list[Act]:
    found: list[Act] = []
    if GrantScope.EXPORT in grant.scopes:
        exports = select(Export).where(Export.grant_id == grant.id).order_by(Export.id.desc()).limit(SHOWN)
        found += [_export_act(export) for export in db.session.scalars(exports)]
    if GrantScope.IMPORT in grant.scopes:
        imports = select(Import).where(Import.grant_id == grant.id).order_by(Import.id.desc()).limit(SHOWN)
        found += [_import_act(one) for one in db.session.scalars(imports)]
    return found


def _go_on(tenant: Tenant, grant_id: UUID, import_id: UUID, ask: Any, act: str) -> None:
    with _under(tenant, grant_id, GrantScope.IMPORT) as grant:
        _import_under(grant_id, import_id)
        ask(import_for_changing(import_id))
        _on_platform(act, tenant, grant, {"import": str(import_id)})


def _import_under(grant_id: UUID, import_id: UUID) -> Import:
    # What the customer's own people import is not the staff's to go on with.
    found = db.session.get(Import, import_id)
    if found is None or found.grant_id != grant_id:
        raise NotFound
    return found


def _ticket_of(grant: Grant) -> Ticket | None:
    return db.control.get(Ticket, grant.ticket_id) if grant.ticket_id else None


def _record_on_ticket(about: Ticket | None, grant: Grant, kind: str, act_id: UUID, words: str) -> None:
    with control_transaction() as control:
        ticket = about or (control.get(Ticket, grant.ticket_id) if grant.ticket_id else None)
        if ticket is not None:
            record_act(ticket, kind, act_id, grant.id, words)


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


def _on_platform(action: str, tenant: Tenant, grant: Grant, more: dict[str, str] | None = None) -> None:
    details = {"instruction": instruction_of(grant), **(more or {})}
    record_on_platform(action, tenant_id=tenant.id, subject=tenant.slug, details=details)
