"""What was seen and done under a grant, read from the customer's own audit."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select

from qikbiz.audit.models import AuditEvent
from qikbiz.audit.queries import CLOCKS_DIFFER, id_at
from qikbiz.kernel.database import db
from qikbiz.trust.grants.models import Grant
from qikbiz.trust.grants.queries import instruction_of

SHOWN = 200


def acts_under(grant: Grant) -> Sequence[AuditEvent]:
    """Everything that staff saw and did under it, the newest first; and who gave, used and ended it."""
    # Ids follow time, so the events since the grant was given are a range of the index.
    since = AuditEvent.id >= id_at(grant.given_at - CLOCKS_DIFFER)
    by_it = AuditEvent.details["instruction"].astext == instruction_of(grant)
    about_it = (AuditEvent.record_type == "grant") & (AuditEvent.record_id == grant.id)
    statement = select(AuditEvent).where(since, or_(by_it, about_it)).order_by(AuditEvent.id.desc())
    return db.session.scalars(statement.limit(SHOWN)).all()
