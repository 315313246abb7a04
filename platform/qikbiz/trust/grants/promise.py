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
    return (("Access in force now", number(in_force) if in_force else "None: nobody of QikBiz can see a record"),)


def entries() -> Sequence[Fact]:
    """How often staff came in."""
    with control_transaction() as control:
        counts = counts_of(control, current_tenant().id)
    return (("Entries of staff in 30 days", number(counts["lately"])), ("Entries ever", number(counts["ever"])))


def imports_by_us() -> Sequence[Fact]:
    """What staff imported on the customer's instruction."""
    by_staff = select(func.count()).select_from(Import).where(Import.actor_kind == "staff")
    total = db.session.scalar(by_staff) or 0
    undone = db.session.scalar(by_staff.where(Import.state == "undone")) or 0
    return (("Imports made by us for you", number(total)), ("Of these taken back", number(undone)))


KEEPINGS = (
    Keeping(
        "P8",
        "Staff have no login in your organisation. To come in they need access that one of your administrators gives: "
        "to named people or to support, for a reason, for a purpose, until a time. Behind each access stands a login "
        "of the database that may do just that in your part of it; it is made when access is given and dropped when it "
        "ends. "
        "Without one the program and the database both refuse every row. It holds for our commands too.",
        "grants.index",
        "Access by QikBiz",
        access_now,
        try_it="Give us access for an hour and end it again. Before and after it the list shows that nobody has any.",
    ),
    Keeping(
        "P11",
        "You enter and import your data yourself. If you want us to import a file, we can do it only by an access that "
        "you gave for imports, or by an instruction of yours that was confirmed: by one of your administrators, or, "
        "for a ticket that one of them wrote, by a second member of our staff and after a wait that you set. "
        "The import stands among yours, with the instruction, and you can take it back whole.",
        "grants.index",
        "Access by QikBiz",
        imports_by_us,
        try_it="Look at what was imported for you and by which instruction. Each import can be undone from its page.",
    ),
    Keeping(
        "P12",
        "Your data is not used and not made available unless you permit it. Without your permission the database "
        "itself gives our staff no row, and a permission covers only what you chose, until the time you chose. The "
        "program counts logins, records and bytes for its operation, and evaluates nothing else of what you keep. The "
        "accounts of its processes reach the servers that it works with and no other.",
        "grants.index",
        "Access by QikBiz",
        access_now,
        try_it="Look at the list: without an access in force nobody of QikBiz can see a record.",
    ),
    Keeping(
        "P12",
        "Every entry of our staff is told to your administrators by mail and stands in your own audit: who it was, by "
        "which access, for what reason, each page that was opened and each thing that was done.",
        "grants.entries",
        "Who came in",
        entries,
        try_it="Give us access about a question, and see here each page that was opened.",
    ),
)
