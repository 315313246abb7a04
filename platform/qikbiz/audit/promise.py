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
        ("Oldest entry", f"{oldest.day} {oldest:%B %Y}"),
        ("Newest fingerprint", f"{newest[0]}:{newest[1]}"),
        ("Lists and searches viewed in 30 days", number(_reads_lately())),
        ("Retention", how_long(months_kept()).capitalize()),
    ]


def _reads_lately() -> int:
    since = id_at(now() - timedelta(days=30))
    return db.session.scalar(select(func.count()).select_from(PageRead).where(PageRead.id >= since)) or 0


KEEPINGS = (
    Keeping(
        "P6",
        "Every change, view, export, import, permission change and sign-in in your organisation is recorded in "
        "your audit in the same transaction, with old and new values. The application can only add entries, and "
        "each entry contains the fingerprint of the previous one, so that a rewrite is always noticed. You can "
        "export the audit and verify it without us. Each list and search that users viewed is recorded too: user, "
        "record type, names of the filters and number of records, without values. Their fingerprint is added to "
        "the audit once an hour.",
        place="audit.index",
        place_name="Audit",
        evidence=_evidence,
        try_it=(
            "Edit a contact's phone number and open the audit. The entry shows the user, the time, the old and "
            "the new value."
        ),
    ),
)
