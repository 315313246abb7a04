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
from qikbiz.trust.account_closure.queries import WORDS, standing_closing
from qikbiz.trust.billing import pricing
from qikbiz.trust.billing.policies import terms_for
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
        (
            "Cost of closing the account today",
            f"at most {quote.amount} {quote.currency}" if quote.amount else "Nothing",
        ),
    )


def _standing(closing: Closing | None) -> str:
    if closing is None:
        return "Not requested"
    until = f", kept until {day(closing.erase_after)}" if closing.erase_after else ""
    return f"{WORDS[closing.state][0]}{until}"


KEEPINGS = (
    Keeping(
        "P13",
        "An administrator requests the closure with a password and the organisation's name. You see the cost with "
        "its reasons and accept it before anything happens. It is free unless we set a fee, and never more than "
        "our cost of creating the export. All data is then exported as CSV, you verify the file by a checksum, and "
        "the account is read-only for 30 to 90 days. An unpaid invoice holds nothing back. Then all data is "
        "erased, and a signed certificate lists what was erased and when backups are deleted. Any administrator "
        "can cancel until the erasure begins. When we end the contract, the same steps apply free of charge: two "
        "of our operators have to agree, every administrator gets the reason by email, and the page says that "
        "QikBiz ended it. A suspended workspace can still be read, exported and closed.",
        "closing.index",
        "Close your account",
        evidence,
        try_it="Open the first step. It shows the cost and changes nothing.",
    ),
)
