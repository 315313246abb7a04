"""An operator ends a customer's contract: it takes two of them, and then goes the way of the customer's own closing.

Every administrator is mailed who ended it and why, everything is exported at no cost, and for 30 to 90 days everything
can be read, exported and not changed. Then it is erased with a certificate (promise P13).
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from qikbiz.console.tenant_actions import (
    LONGEST_REASON,
    BadTenant,
    for_change,
    record_act,
    refuse_unless,
    refuse_while_closing,
)
from qikbiz.identity.accounts.models import User
from qikbiz.kernel import clock
from qikbiz.kernel.actors import SYSTEM, acting_as, current_actor
from qikbiz.kernel.database import db, runtime, tenant_transaction
from qikbiz.kernel.errors import Conflict, Forbidden, NotFound
from qikbiz.trust.account_closure import emails, events
from qikbiz.trust.account_closure.actions import LONGEST, SHORTEST, advance_soon
from qikbiz.trust.account_closure.models import Closing, ClosingProposal
from qikbiz.trust.billing.pricing import NOTHING, Terms
from tenants.context import Tenant
from tenants.control import TenantRecord, new_id
from tenants.directory import read_tenant

# A proposal that nobody confirmed meanwhile is no decision any more.
PROPOSAL_DAYS = 14
FREE = "QikBiz ended the contract, so the export is free."


def was_ever_used(record: TenantRecord) -> bool:
    """Whether anybody ever signed in there. The program looks; staff enter no tenant."""
    tenant = _tenant_of(record) if record.version else None
    if tenant is None:
        return False
    with acting_as(SYSTEM), tenant_transaction(tenant) as session:
        return session.scalar(select(User.id).where(User.last_seen_at.is_not(None)).limit(1)) is not None


def proposal_for(record: TenantRecord) -> ClosingProposal | None:
    """The proposal that can still be confirmed."""
    found = db.control.get(ClosingProposal, record.id)
    return found if found is not None and found.proposed_at > clock.now() - timedelta(days=PROPOSAL_DAYS) else None


def propose(session: Session, slug: str, *, confirmation: str, reason: str, days: int) -> ClosingProposal:
    """Ask another operator to end this contract. `confirmation` is the slug, typed. Again replaces reason and days.

    Raises BadTenant and Conflict. Nothing changes for the customer yet.
    """
    record = for_change(session, slug)
    if confirmation != record.slug:
        raise BadTenant(f"To end this contract, type the tenant address: {record.slug}")
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise BadTenant(f"Enter a reason of at most {LONGEST_REASON} characters. The administrators get it by email.")
    if not SHORTEST <= days <= LONGEST:
        raise BadTenant(f"Users get {SHORTEST} to {LONGEST} days to download their data.")
    refuse_unless(record, "active", "suspended")
    refuse_while_closing(record, "nothing is left to end")
    actor = current_actor()
    who = {"proposed_at": clock.now(), "proposed_by": _staff_id(), "proposed_by_name": actor.name}
    proposal = session.merge(ClosingProposal(tenant_id=record.id, reason=reason, days=days, **who))
    record_act(record, "tenant.ending_proposed", reason=reason, days=days)
    return proposal


def confirm(session: Session, slug: str, *, confirmation: str) -> Closing | None:
    """The second operator: the closing begins. None when a proposal of the command line got only its first operator.

    Raises BadTenant, Conflict, Forbidden, NotFound.
    """
    record = for_change(session, slug)
    proposal, staff_id = proposal_for(record), _staff_id()
    if proposal is None:
        raise NotFound("There is no open proposal to end this contract.")
    if staff_id is None:
        raise Forbidden("Only an operator who is signed in to the console can confirm it.")
    if confirmation != record.slug:
        raise BadTenant(f"To end this contract, type the tenant address: {record.slug}")
    if proposal.proposed_by == staff_id:
        raise Conflict("Another operator has to confirm it.")
    refuse_unless(record, "active", "suspended")
    refuse_while_closing(record, "nothing is left to end")
    if proposal.proposed_by is None:
        proposal.proposed_by, proposal.proposed_by_name = staff_id, current_actor().name
        record_act(record, "tenant.ending_proposed", reason=proposal.reason, days=proposal.days)
        return None
    closing = _begin(record, proposal)
    session.delete(proposal)
    return closing


def withdraw(session: Session, slug: str) -> None:
    """Any operator drops the proposal; again, nothing happens."""
    record = for_change(session, slug)
    proposal = session.get(ClosingProposal, record.id)
    if proposal is not None:
        session.delete(proposal)
        record_act(record, "tenant.ending_withdrawn")


def _begin(record: TenantRecord, proposal: ClosingProposal) -> Closing:
    tenant, moment = _tenant_of(record), clock.now()
    assert tenant is not None  # its row is locked
    closing = Closing(
        id=new_id(),
        tenant_id=record.id,
        state="exporting",
        ended_by="operator",
        reason=proposal.reason,
        retrieval_days=proposal.days,
        asked_at=moment,
        accepted_at=moment,
        quote={"terms": Terms().as_json(), "reasons": [FREE], "at": moment.isoformat()},
        quote_amount=NOTHING,
        currency=Terms().currency,
        export_id=new_id(),
    )
    db.control.add(closing)
    db.control.flush()
    about = {"reason": proposal.reason, "days": proposal.days, "proposed_by": proposal.proposed_by_name}
    events.record_step(closing, "ended_by_operator", tenant.slug, **about)
    facts = {"organisation": tenant.name, "reason": proposal.reason, "days": proposal.days}
    facts |= {"support": runtime().settings.support_address, "url": emails.page_of(tenant)}
    emails.notify(closing, "ended_by_us", "ended_by_us", emails.recipients_of(tenant), facts)
    advance_soon(closing)
    return closing


def _tenant_of(record: TenantRecord) -> Tenant | None:
    return read_tenant(db.control(), record.id, runtime().settings.base_domain)


def _staff_id() -> UUID | None:
    actor = current_actor()
    return actor.id if actor.kind == "staff" else None
