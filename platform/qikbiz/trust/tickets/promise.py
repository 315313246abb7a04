"""How promise P20 is kept: anybody can ask us, and gets an answer."""

from __future__ import annotations

from collections.abc import Sequence

from flask_login import current_user
from sqlalchemy import func, select

from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.trust.tickets.models import Ticket
from qikbiz.web.formats import number
from tenants.context import current_tenant


def evidence() -> Sequence[Fact]:
    """One's own questions, and those of the organisation, by how they stand."""
    with control_transaction() as control:
        # Grouped by its name: written out a second time it would be another expression to PostgreSQL.
        asked = select(Ticket.state, (Ticket.person_id == current_user.id).label("is_own"), func.count())
        asked = asked.where(Ticket.tenant_id == current_tenant().id, Ticket.person_id.is_not(None))
        rows = control.execute(asked.group_by(Ticket.state, "is_own")).all()
    of_all = {state: sum(n for other, _, n in rows if other == state) for state in ("open", "waiting", "solved")}
    return (
        ("Your requests", number(sum(n for _, is_own, n in rows if is_own))),
        ("Requests of your organisation", number(sum(of_all.values()))),
        ("Waiting for our reply", number(of_all["open"])),
        ("Answered or solved", number(of_all["waiting"] + of_all["solved"])),
    )


KEEPINGS = (
    Keeping(
        "P20",
        "You can contact us from the public site, from your workspace and by email, without signing in and without "
        "scripts. Each request becomes a ticket with a reference, confirmed by email immediately. A person "
        "replies, longest waiting first; reply to the email to continue. Requests from inside your workspace stay "
        "readable there, for you and your administrators only. Limits protect the forms from spam, not third-party "
        "captchas.",
        "help.index",
        "Help",
        evidence,
        try_it="Send a request. You get its reference by email immediately, and a reply from a person.",
    ),
)
