"""`--instruction` of commands: the customer's grant by its reference, or what it asked for in writing.

Either way the command gets into the tenant as a guest, by a login that exists only for this; the customer sees the
grant or the instruction, whatever is done under it, and can end it.
"""

from __future__ import annotations

import getpass
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import select

from config.settings import Settings
from provisioning.guests import open_grant
from qikbiz.actors import SYSTEM, Actor, acting_as
from qikbiz.database import NoGrant, control_work, tenant_work
from qikbiz.failures import Unavailable
from qikbiz.grants.actions import end_grant, record_instruction
from qikbiz.grants.models import Grant
from qikbiz.grants.queries import OVER, admits, grant_in_force, guest_of, instruction_of
from qikbiz.grants.scopes import LABELS, Scope
from tenants.context import Guest, Tenant, entered

# A worker that runs makes the login at once; with the sweeper's help after a few seconds.
PATIENCE = 20.0
SECONDS_BETWEEN_LOOKS = 0.1
_REFERENCE = re.compile(r"G-[2-9A-HJKMNP-TV-Z]{6}")


@contextmanager
def on_instruction(settings: Settings, tenant: Tenant, instruction: str, scope: Scope) -> Iterator[None]:
    """Work inside `tenant` under the grant that `instruction` names, or one recorded now with its words.

    Raises BadGrant, NoGrant, and Unavailable when nobody makes the login.
    """
    me = Actor("staff", name=who())
    named = instruction.strip().upper()
    is_named = _REFERENCE.fullmatch(named) is not None
    with acting_as(me):
        grant_id = _named(tenant, named, scope) if is_named else record_instruction(tenant, scope, instruction).id
    try:
        guest, actor = _guest(settings, tenant, grant_id, me)
        with acting_as(actor), entered(tenant, guest=guest):
            yield
    finally:
        if not is_named:
            _end(tenant, grant_id, me)


def who() -> str:
    """Who runs the command, for both audits."""
    try:
        return f"{getpass.getuser()} at the command line"
    except (KeyError, OSError):
        return f"User {os.getuid()} at the command line"


def _named(tenant: Tenant, reference: str, scope: Scope) -> UUID:
    with control_work() as control:
        grant = control.scalar(select(Grant).where(Grant.reference == reference, Grant.tenant_id == tenant.id))
        if grant is None or not admits(grant, None):
            raise NoGrant(f"{tenant.name} has given no access {reference} to support as a whole.")
        if scope not in grant.scopes:
            raise NoGrant(f"{reference} does not allow this: {LABELS[scope][0].lower()}.")
        return grant.id


def _guest(settings: Settings, tenant: Tenant, grant_id: UUID, me: Actor) -> tuple[Guest, Actor]:
    if settings.provisioner_url:
        open_grant(settings, grant_id)
    began = time.monotonic()
    while True:
        with control_work() as control:
            grant = control.get_one(Grant, grant_id)
            if grant.state == "open":
                grant_in_force(control, tenant.id, grant_id)
                return guest_of(grant), Actor("staff", None, me.name, instruction_of(grant), grant=grant.id)
            if grant.state == "ended":
                raise NoGrant(OVER)
        if time.monotonic() - began > PATIENCE:
            raise Unavailable("No provisioning worker is running, which makes the login. Start the product.")
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _end(tenant: Tenant, grant_id: UUID, me: Actor) -> None:
    """The work is over, and with it what allowed it."""
    with control_work() as control:
        grant = control.get_one(Grant, grant_id)
        if grant.state == "ended":
            return
    with acting_as(Actor(SYSTEM.kind, name=me.name)), tenant_work(tenant):
        end_grant(grant)
