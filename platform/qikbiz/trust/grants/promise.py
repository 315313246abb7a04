"""How promises P8, P11 and P12 are kept: nobody of ours comes in unless the customer lets them, and all is shown."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from qikbiz.kernel.database import control_transaction, db
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.transfer.imports.models import Import
from qikbiz.trust.grants.queries import counts_of
from qikbiz.web.formats import number
from tenants.context import current_tenant


def access_now() -> Sequence[Fact]:
    """Whether anybody of ours could come in at this moment."""
    with control_transaction() as control:
        in_force = counts_of(control, current_tenant().id)["open"]
    return (("Active access", number(in_force) if in_force else "None: QikBiz staff can't see your records"),)


def entries() -> Sequence[Fact]:
    """How often staff came in."""
    with control_transaction() as control:
        counts = counts_of(control, current_tenant().id)
    return (
        ("Support sessions in 30 days", number(counts["lately"])),
        ("Support sessions in total", number(counts["ever"])),
    )


def imports_by_us() -> Sequence[Fact]:
    """What staff imported on the customer's instruction."""
    by_staff = select(func.count()).select_from(Import).where(Import.actor_kind == "staff")
    total = db.session.scalar(by_staff) or 0
    undone = db.session.scalar(by_staff.where(Import.state == "undone")) or 0
    return (("Imports by QikBiz for you", number(total)), ("Of these, undone", number(undone)))


KEEPINGS = (
    Keeping(
        "P8",
        "QikBiz staff have no account in your workspace. They need access that one of your administrators grants: "
        "to named people or to support, for a reason, for a purpose, until a time. Each grant creates a database "
        "role with exactly these rights, which is dropped when the grant ends. Without a grant, the application "
        "and the database both refuse every row. This applies to our commands too.",
        "grants.index",
        "Support access",
        access_now,
        try_it="Grant access for an hour, then end it. Before and after, the list shows no active access.",
    ),
    Keeping(
        "P11",
        "You enter and import your data yourself. If you want us to import a file, we need a grant for imports or "
        "a confirmed instruction. One of your administrators confirms it or, for a ticket of an administrator, a "
        "second member of our staff after a waiting time that you set. The import appears under Imports with its "
        "instruction, and you can undo it.",
        "grants.index",
        "Support access",
        imports_by_us,
        try_it="Review what was imported for you and by which instruction. You can undo each import on its page.",
    ),
    Keeping(
        "P12",
        "Your data is not used or disclosed without your permission. Without a grant the database returns no rows "
        "to our staff, and a grant covers only what you chose, until the time you chose. For operations, the "
        "application counts users, records and bytes, and analyses nothing else. Its processes can connect only to "
        "the servers they work with.",
        "grants.index",
        "Support access",
        access_now,
        try_it="Open the list: without active access, QikBiz staff can't see any record.",
    ),
    Keeping(
        "P12",
        "Your administrators get an email for every support session. Your audit lists who it was, which access was "
        "used, the reason, each page that was opened and each action.",
        "grants.entries",
        "Support access history",
        entries,
        try_it="Grant access for a request, then see each page that was opened here.",
    ),
)
