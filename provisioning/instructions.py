"""What allows a command to work for a customer: `--grant REFERENCE`, or `--instruction REFERENCE` once it is confirmed.

Either way the command gets into the tenant as a guest, by a login that exists only for this; the customer sees the
grant or the instruction and all that is done under it, and can end it. Free text is enough only where no user has ever
signed in, so that a first load is simple, and for the demo organisations of a development run.
"""

from __future__ import annotations

import getpass
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.settings import Settings
from provisioning.demo import is_demo
from provisioning.guest_roles import open_grant
from qikbiz.identity.accounts.queries import ever_signed_in
from qikbiz.kernel import clock
from qikbiz.kernel.actors import SYSTEM, Actor, acting_as
from qikbiz.kernel.database import NoGrant, control_transaction, tenant_transaction
from qikbiz.kernel.errors import Failure, Unavailable
from qikbiz.trust.grants.actions import end_grant
from qikbiz.trust.grants.instructions import can_instruct, record_instruction
from qikbiz.trust.grants.models import Grant
from qikbiz.trust.grants.queries import OVER, admits, guest_of, instruction_of, is_in_force, is_standing
from qikbiz.trust.grants.scopes import LABELS, GrantScope
from qikbiz.trust.tickets.models import Ticket
from tenants.context import Guest, Tenant, tenant_context

# A worker that runs makes the login at once; with the sweeper's help after a few seconds.
PATIENCE = 20.0
SECONDS_BETWEEN_LOOKS = 0.1
_GRANT = re.compile(r"G-[2-9A-HJKMNP-TV-Z]{6}")
_TICKET = re.compile(r"QB-[0-9A-Z]{7}")


@dataclass(frozen=True)
class Authority:
    """What the command names: a grant of the customer, or an instruction (its reference, a ticket's, or words)."""

    grant: str = ""
    instruction: str = ""


@dataclass(frozen=True)
class Allowed:
    """`shows_values` is whether the person at the command may be handed what is stored: never under an instruction."""

    grant_id: UUID
    is_free: bool
    shows_values: bool


@contextmanager
def on_authority(settings: Settings, tenant: Tenant, authority: Authority, scope: GrantScope) -> Iterator[Allowed]:
    """Work inside `tenant` under what `authority` names. Raises BadGrant, NoGrant, and Unavailable without a worker."""
    me = Actor("staff", name=who())
    with acting_as(me):
        allowed = allowed_by(settings, tenant, authority, scope)
    try:
        guest, actor = _guest(settings, tenant, allowed.grant_id, me)
        with acting_as(actor), tenant_context(tenant, guest=guest):
            yield allowed
    finally:
        if allowed.is_free:
            _end(tenant, allowed.grant_id, me)


def allowed_by(settings: Settings, tenant: Tenant, authority: Authority, scope: GrantScope) -> Allowed:
    """Find what allows this. Raises NoGrant, whose text says how to get it, and Failure for both options or neither."""
    grant, instruction = authority.grant.strip(), authority.instruction.strip()
    if bool(grant) == bool(instruction):
        raise Failure(
            "Use --grant with the customer's access, or --instruction with who requested this and where that is "
            "documented. The customer sees it."
        )
    if grant:
        return _by_grant(tenant, grant.upper(), scope)
    if _GRANT.fullmatch(instruction.upper()):
        return _by_instruction(tenant, instruction.upper(), scope)
    if _TICKET.fullmatch(instruction.upper()):
        return _by_ticket(tenant, instruction.upper(), scope)
    if not takes_words(settings, tenant):
        raise NoGrant(_how_to_get_one(tenant))
    found = record_instruction(tenant, scope, instruction, is_free=True)
    return Allowed(found.id, is_free=True, shows_values=True)


def takes_words(settings: Settings, tenant: Tenant) -> bool:
    """Whether free text is enough: no user has ever signed in, or it is a demo organisation of a development run."""
    if is_demo(settings, tenant.slug):
        return True
    with acting_as(SYSTEM), tenant_transaction(tenant):
        return not ever_signed_in()


def who() -> str:
    """Who runs the command, for both audits."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return f"User {os.getuid()} (command line)"


def _how_to_get_one(tenant: Tenant) -> str:
    return (
        f"{tenant.name} has users, so a reference is required. An administrator there grants access under Settings, "
        "Support access: use its reference with --grant. Or record the instruction in the console under Support "
        "actions, have it confirmed, and use its reference with --instruction."
    )


def _by_grant(tenant: Tenant, reference: str, scope: GrantScope) -> Allowed:
    if _GRANT.fullmatch(reference) is None:
        raise NoGrant(f"“{reference[:40]}” isn't the reference of an access. {_how_to_get_one(tenant)}")
    with control_transaction() as control:
        grant = _named(control, tenant, reference)
        if grant is None or grant.kind != "grant" or not admits(grant, None):
            raise NoGrant(f"{tenant.name} has not granted access {reference} to the whole support team.")
        _refuse_unless_allowed(grant, scope)
        return Allowed(grant.id, is_free=False, shows_values=True)


def _by_instruction(tenant: Tenant, reference: str, scope: GrantScope) -> Allowed:
    with control_transaction() as control:
        grant = _named(control, tenant, reference)
        if grant is None or grant.kind != "instruction":
            raise NoGrant(f"{tenant.name} has no instruction {reference}. For an access, use --grant.")
        _refuse_unless_allowed(grant, scope)
        return Allowed(grant.id, is_free=False, shows_values=False)


def _by_ticket(tenant: Tenant, reference: str, scope: GrantScope) -> Allowed:
    """By the newest instruction about the ticket; where there is none, it is written down and has to be confirmed."""
    with control_transaction() as control:
        its = Ticket.reference == reference, Ticket.tenant_id == tenant.id
        ticket = control.scalar(select(Ticket).where(*its))
        if ticket is None or not can_instruct(tenant, ticket.person_id):
            raise NoGrant(f"{reference} isn't a ticket that an administrator of {tenant.name} sent while signed in.")
        about = Grant.ticket_id == ticket.id, Grant.kind == "instruction"
        grants = control.scalars(select(Grant).where(*about).order_by(Grant.id.desc())).all()
        found = next((grant for grant in grants if is_standing(grant) and scope in grant.scopes), None)
        is_new = found is None
        if found is None:
            found = record_instruction(tenant, scope, f"Ticket {reference} by {ticket.name}", about=ticket)
        reference = found.reference
    if is_new:
        raise NoGrant(
            f"Recorded as {reference}. After an administrator of {tenant.name} has confirmed it, run this again "
            f"with --instruction {reference}."
        )
    return _by_instruction(tenant, reference, scope)


def _named(control: Session, tenant: Tenant, reference: str) -> Grant | None:
    return control.scalar(select(Grant).where(Grant.reference == reference, Grant.tenant_id == tenant.id))


def _refuse_unless_allowed(grant: Grant, scope: GrantScope) -> None:
    if scope not in grant.scopes:
        raise NoGrant(f"{grant.reference} does not allow this: {LABELS[scope][0].lower()}.")
    if not is_standing(grant):
        raise NoGrant(f"{grant.reference} has ended. Ask for a new one.")
    if grant.state == "waiting":
        raise NoGrant(f"{grant.reference} awaits confirmation by an administrator, under Settings, Support access.")
    if grant.opens_at is not None and grant.opens_at > clock.now():
        raise NoGrant(f"{grant.reference} is confirmed and opens on {grant.opens_at:%d %B %Y, %H:%M} UTC.")


def _guest(settings: Settings, tenant: Tenant, grant_id: UUID, me: Actor) -> tuple[Guest, Actor]:
    if settings.provisioner_url:
        open_grant(settings, grant_id)
    began = time.monotonic()
    while True:
        with control_transaction() as control:
            grant = control.get_one(Grant, grant_id)
            if is_in_force(grant):
                return guest_of(grant), Actor("staff", None, me.name, instruction_of(grant), grant=grant.id)
            if not is_standing(grant):
                raise NoGrant(OVER)
        if time.monotonic() - began > PATIENCE:
            raise Unavailable("No provisioning worker is running, so access can't be prepared. Start the product.")
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _end(tenant: Tenant, grant_id: UUID, me: Actor) -> None:
    """The work is over, and with it what allowed it."""
    with control_transaction() as control:
        grant = control.get_one(Grant, grant_id)
        if grant.state == "ended":
            return
    with acting_as(Actor(SYSTEM.kind, name=me.name)), tenant_transaction(tenant):
        end_grant(grant)
