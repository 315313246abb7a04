"""P13: at the end of the contract an export of everything, on request, and what it may cost."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from qikbiz.kernel import clock
from qikbiz.kernel.database import control_transaction, db
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.transfer.exports.catalogue import EVERYTHING
from qikbiz.transfer.exports.models import Export
from qikbiz.trust.account_closure.models import Closing
from qikbiz.trust.account_closure.policies import terms_for
from qikbiz.trust.account_closure.queries import WORDS, standing_closing
from qikbiz.trust.billing import pricing
from qikbiz.web.formats import count, day
from tenants.context import current_tenant


def evidence() -> Sequence[Fact]:
    """Exports of everything so far, the closing under way with its dates, and what a closing would cost today."""
    tenant = current_tenant()
    made = select(func.count()).select_from(Export).where(Export.scope == EVERYTHING, Export.ready_at.is_not(None))
    closing = standing_closing(tenant.id)
    with control_transaction():
        quote = pricing.quote(terms_for(tenant.id), clock.now())
    return (
        ("Exports of everything", count(db.session.scalar(made) or 0, "export")),
        ("Closing", _standing(closing)),
        ("A closing would cost today", f"at most {quote.amount} {quote.currency}" if quote.amount else "Nothing"),
    )


def _standing(closing: Closing | None) -> str:
    if closing is None:
        return "None is under way"
    until = f", kept until {day(closing.erase_after)}" if closing.erase_after else ""
    return f"{WORDS[closing.state][0]}{until}"


KEEPINGS = (
    Keeping(
        "P13",
        "An administrator closes the account with a password and the organisation's name. What it costs is shown with "
        "its reasons and accepted before anything is done; it is nothing unless we set a fee, and never more than "
        "making the export cost us. Everything is then exported as CSV, you check by a checksum that it is whole, "
        "and for 30 to 90 days everything can be read and exported while nothing is changed. A bill that is not paid "
        "holds nothing back. Then everything is erased, and a signed certificate says what, and when back-ups end. "
        "Until the erasure any administrator can call it off. When we end the contract it goes the same way and costs "
        "nothing: two of our operators have to agree, every administrator is mailed the reason, and the page says that "
        "it was us. A suspension takes away nothing but changes.",
        "closing.index",
        "Close your account",
        evidence,
        try_it="Open the first step: it shows what a closing would cost and changes nothing.",
    ),
)
