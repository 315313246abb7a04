"""How the audit keeps promise P6: data is protected, accurate and appropriately used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select

from qikbiz.audit.models import AuditEvent, PageRead
from qikbiz.audit.queries import id_at, months_kept, newest_link, oldest_moment
from qikbiz.audit.retention import how_long
from qikbiz.kernel.clock import now
from qikbiz.kernel.database import db
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.web.formats import number
from tenants.context import current_tenant


def _evidence() -> Sequence[Fact]:
    newest, oldest = newest_link(), oldest_moment()
    if newest is None or oldest is None:
        return [("Entries in your audit", "None yet")]
    own = select(func.count()).select_from(AuditEvent).where(AuditEvent.chain == current_tenant().id)
    return [
        ("Entries in your audit", number(db.session.scalar(own) or 0)),
        ("The oldest one is of", f"{oldest.day} {oldest:%B %Y}"),
        ("Fingerprint of the newest", f"{newest[0]}:{newest[1]}"),
        ("Lists and searches on screen in 30 days", number(_reads_lately())),
        ("How long it is kept", how_long(months_kept()).capitalize()),
    ]


def _reads_lately() -> int:
    since = id_at(now() - timedelta(days=30))
    return db.session.scalar(select(func.count()).select_from(PageRead).where(PageRead.id >= since)) or 0


KEEPINGS = (
    Keeping(
        "P6",
        "Whatever is changed, read, exported, imported or allowed in your organisation, and every login, is written "
        "into your audit in the same step, with the old and the new values. The program itself can only add to it, and "
        "each entry holds the fingerprint of the one before, so that nothing can be rewritten unnoticed. You can "
        "export it and check it without us. Each list and each search that somebody had on the screen is written down "
        "too: who, which type, filters by name, how many records, no value; hourly they are sealed into the audit.",
        place="audit.index",
        place_name="Audit",
        evidence=_evidence,
        try_it="Change a contact's phone and look here: the entry shows who, when, and the old and the new value.",
    ),
)
