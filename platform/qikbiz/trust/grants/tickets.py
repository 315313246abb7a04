"""A customer who gives access wants something done: each grant is a ticket to answer, on support's list.

Either the ticket about which the access was given, or one that is opened for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from uuid import UUID

from sqlalchemy import select

from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.queries import administrators
from qikbiz.kernel.actors import SYSTEM, acting_as, current_actor
from qikbiz.kernel.database import db, tenant_transaction
from qikbiz.trust.grants.emails import what_may_be_done
from qikbiz.trust.grants.models import Grant
from qikbiz.trust.grants.queries import is_in_force
from qikbiz.trust.grants.scopes import GrantScope
from qikbiz.trust.tickets.actions import Question, open_ticket, write_as_customer
from qikbiz.trust.tickets.models import Ticket
from tenants.context import Tenant
from tenants.control import TenantRecord


def put_on_work_list(grant: Grant, about: Ticket | None) -> None:
    """What the current user gave: into the ticket that it is about, or into one of its own."""
    giver = db.session.get_one(User, current_actor().id)
    if about is None:
        about = open_ticket(_question(grant, giver.name, giver.email, giver.id), is_acknowledged=False)
        about.assigned_to = UUID(grant.staff_ids[0]) if len(grant.staff_ids) == 1 else None
    else:
        write_as_customer(about, _words(grant), name=giver.name, person_id=giver.id)
    grant.ticket_id = about.id


def put_instruction_on_work_list(tenant: Tenant, grant: Grant) -> None:
    """An instruction that reached us elsewhere. Nothing proves who wrote it: no page of the customer shows the ticket.

    It is answered to the administrator who is there longest; before there is one, to the address that was invited.
    """
    with acting_as(SYSTEM), tenant_transaction(tenant):
        there = [(person.name, person.email) for person in administrators()]
    invited = select(TenantRecord.name, TenantRecord.admin_email).where(TenantRecord.id == tenant.id)
    name, email = there[0] if there else db.control.execute(invited).one()
    ticket = open_ticket(_question(grant, name, email, None), is_acknowledged=False, author="note")
    ticket.assigned_to, grant.ticket_id = current_actor().id, ticket.id


def access_of(tickets: Sequence[Ticket]) -> Mapping[UUID, Grant]:
    """{ticket: the grant in force that was given about it and lasts longest}."""
    given = select(Grant).where(Grant.ticket_id.in_([ticket.id for ticket in tickets])).order_by(Grant.ends_at)
    return {grant.ticket_id: grant for grant in db.control.scalars(given) if grant.ticket_id and is_in_force(grant)}


def _question(grant: Grant, name: str, email: str, person_id: UUID | None) -> Question:
    return Question(
        name, email, grant.reason, _words(grant), topic=_topic(grant),
        source="tenant" if person_id else "instruction", tenant_id=grant.tenant_id, person_id=person_id,
    )  # fmt: skip


def _topic(grant: Grant) -> str:
    if GrantScope.EXPORT in grant.scopes:
        return "export"
    return "import" if GrantScope.IMPORT in grant.scopes else "access"


def _words(grant: Grant) -> str:
    until = grant.ends_at.astimezone(UTC)
    what = what_may_be_done(grant)
    return f"{grant.reason}\n\n{grant.reference}: {what}, until {until.day} {until:%b %Y, %H:%M} UTC."
