"""How the records keep promise P6: what is entered is accurate, nobody's change is lost, and each can be looked up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select

from qikbiz.audit.models import RecordChange
from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.web.formats import number


def _history() -> Sequence[Fact]:
    """How much of this organisation's history there is."""
    lately = RecordChange.at > clock.now() - timedelta(days=30)
    return (
        ("Changes in the history", number(db.session.scalar(select(func.count()).select_from(RecordChange)) or 0)),
        ("Of these in 30 days", number(db.session.scalar(select(func.count()).where(lately)) or 0)),
    )


KEEPINGS = (
    Keeping(
        "P6",
        "Accuracy: every value is checked by the same rules, whether it is typed, edited in place or imported. An "
        "invalid value is refused next to its field with the reason and a fix, and what was typed stays. An import "
        "shows what it would change, cell by cell, before anything is written.",
        place="contacts.create",
        place_name="New contact",
        try_it="Enter a phone number with letters: nothing is saved, and the field shows why.",
    ),
    Keeping(
        "P6",
        "No change is overwritten unseen: when two people edit the same record, the second one is shown what the first "
        "changed, and decides for each field that both changed. Two saves at the same moment are applied in turn.",
        place="contacts.index",
        place_name="Contacts",
        try_it="Open a contact in two tabs, change its city in both, and save both: you choose which value to keep.",
    ),
    Keeping(
        "P6",
        "Appropriate use: each record keeps its whole history, with who, when, how and the old and the new value, and "
        "a whole import can be undone by it.",
        place="audit.index",
        place_name="Audit",
        evidence=_history,
        try_it="Open a contact and look at its timeline.",
    ),
)
