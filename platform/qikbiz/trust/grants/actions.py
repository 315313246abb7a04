"""Giving and ending grants. The role behind each is made and dropped by the provisioning worker.

What was asked for in writing is recorded in `instructions.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from qikbiz.audit.actions import record, record_on_platform
from qikbiz.jobs.actions import enqueue_platform
from qikbiz.kernel import clock
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import after_commit, control_transaction, db
from qikbiz.kernel.errors import Conflict, Failure
from qikbiz.trust.grants.models import Grant, Visit
from qikbiz.trust.grants.queries import staff_to_choose
from qikbiz.trust.grants.scopes import OFFERED, GrantScope
from qikbiz.trust.grants.tickets import put_on_work_list
from qikbiz.trust.tickets.models import Ticket
from tenants.context import Tenant, current_tenant
from tenants.control import new_id

PROPOSED_HOURS = 24
MOST_DAYS = 30
LONGEST_REASON = 500
MOST_OPEN = 20
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_ROLE_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


class BadGrant(Failure):
    """Something about the grant can't be accepted; the text says what."""


def give_grant(
    *, staff_ids: Sequence[UUID], scopes: Sequence[str], reason: str, ends_at: datetime, about: Ticket | None = None
) -> Grant:
    """Let these people in (none named: everyone in support), for the ticket that this is about. Raises BadGrant.

    The row is written at once and opens nothing; only when the customer's own audit of it is committed does the
    worker make the role. So whatever fails in between, nobody is let in without a trace.
    """
    tenant = current_tenant()
    if not set(scopes) <= {scope.value for scope in OFFERED}:
        raise BadGrant("One of the purposes isn't a valid option. Choose again.")
    known = {staff_id for staff_id, _ in staff_to_choose()}
    if not set(staff_ids) <= known:
        raise BadGrant("A person you chose no longer works in QikBiz support. Choose again.")
    grant = new_grant(tenant, "grant", _scopes(scopes), reason, ends_at)
    grant.staff_ids = [str(staff_id) for staff_id in staff_ids]
    with control_transaction() as control:
        refuse_too_many(control, tenant)
        control.add(grant)
        control.flush()
        control.refresh(grant)
        put_on_work_list(grant, about)
        write_platform_audit("grant.given", grant)
    write_audit("grant.given", grant)
    grant_id = grant.id
    after_commit(db.session(), lambda: open_soon(grant_id))
    return grant


def open_soon(grant_id: UUID) -> None:
    """Have the role made. Without the worker the grant stays closed, which harms nobody."""
    with control_transaction() as control:
        is_free = Grant.state == "asked", or_(Grant.kind == "grant", Grant.confirmed_at.is_not(None))
        asked = update(Grant).where(Grant.id == grant_id, *is_free).values(state="opening")
        if control.scalar(asked.returning(Grant.id)) is not None:
            enqueue_platform("grants.open", {"grant": str(grant_id)}, dedupe_key=f"open grant {grant_id}")


def end_grant(grant: Grant) -> None:
    """End it now: from the commit of the control database on nobody gets in by it. Raises Conflict when it is over."""
    me = current_actor()
    with control_transaction() as control:
        ended = (
            update(Grant)
            .where(Grant.id == grant.id, Grant.state != "ended")
            .values(state="ended", ended_at=clock.now(), ended_by_name=me.name)
        )
        if control.scalar(ended.returning(Grant.id)) is None:
            raise Conflict("This access has already ended.")
        control.execute(
            update(Visit).where(Visit.grant_id == grant.id, Visit.left_at.is_(None)).values(left_at=clock.now())
        )
        write_platform_audit("grant.ended", grant)
        enqueue_platform("grants.close", {}, dedupe_key=f"close grant {grant.id}")
    write_audit("grant.ended", grant)


def _scopes(given: Sequence[str]) -> list[GrantScope]:
    try:
        chosen = sorted({GrantScope(name) for name in given})
    except ValueError as error:
        raise BadGrant("One of the purposes isn't a valid option. Choose again.") from error
    if not chosen:
        raise BadGrant("Choose at least one purpose.")
    return chosen


def new_grant(tenant: Tenant, kind: str, scopes: Sequence[GrantScope], reason: str, ends_at: datetime) -> Grant:
    said, now, actor = " ".join(reason.split()), clock.now(), current_actor()
    _refuse_bad(said, now, ends_at)
    return Grant(
        id=new_id(),
        reference="G-" + "".join(secrets.choice(_ALPHABET) for _ in range(6)),
        tenant_id=tenant.id,
        kind=kind,
        staff_ids=[],
        scopes=[scope.value for scope in scopes],
        reason=said,
        given_by=actor.id if actor.kind == "user" else None,
        given_by_name=actor.name,
        given_at=now,
        ends_at=ends_at,
        role_name="g_" + "".join(secrets.choice(_ROLE_ALPHABET) for _ in range(16)),
    )


def _refuse_bad(said: str, now: datetime, ends_at: datetime) -> None:
    if not said:
        raise BadGrant("Enter a reason. It is recorded in your audit.")
    if len(said) > LONGEST_REASON:
        raise BadGrant(f"The reason has {len(said):,} characters; {LONGEST_REASON} is the maximum.")
    if ends_at <= now:
        raise BadGrant("The end is in the past. Choose a later time.")
    if ends_at > now + timedelta(days=MOST_DAYS):
        raise BadGrant(
            f"The end is too far in the future. Access lasts {MOST_DAYS} days at most; you can grant it again."
        )


def refuse_too_many(control: Session, tenant: Tenant) -> None:
    standing = select(Grant.id).where(Grant.tenant_id == tenant.id, Grant.state != "ended", Grant.ends_at > clock.now())
    if len(control.scalars(standing.limit(MOST_OPEN)).all()) >= MOST_OPEN:
        raise BadGrant(f"{MOST_OPEN} grants are active already. End those that are no longer needed.")


def write_audit(action: str, grant: Grant, **more: str) -> None:
    """Into the audit of the tenant entered."""
    facts = {"reason": grant.reason, "scopes": grant.scopes, "ends_at": grant.ends_at.isoformat(), **more}
    record(action, record_type="grant", record_id=grant.id, subject=grant.reference, details=facts)


def write_platform_audit(action: str, grant: Grant) -> None:
    """Into the platform's audit, inside `control_transaction`."""
    facts = {"scopes": grant.scopes, "ends_at": grant.ends_at.isoformat(), "kind": grant.kind}
    record_on_platform(action, tenant_id=grant.tenant_id, subject=grant.reference, details=facts)
