"""How the rights of single people keep promise P6: data is protected, accurate and appropriately used."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from qikbiz.kernel.database import db
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.transfer.exports.models import Export
from qikbiz.trust.data_subject_requests.file import PERSON
from qikbiz.trust.data_subject_requests.models import Erasure
from qikbiz.web.formats import number


def _evidence() -> Sequence[Fact]:
    erased = select(func.count()).select_from(Erasure).where(Erasure.state == "done")
    files = select(func.count()).select_from(Export).where(Export.product == PERSON, Export.ready_at.is_not(None))
    return [
        ("Data exports for people", number(db.session.scalar(files) or 0)),
        ("Erased people, each with a receipt", number(db.session.scalar(erased) or 0)),
    ]


KEEPINGS = (
    Keeping(
        "P6",
        "When one of your contacts asks, you can create a file with all data about them, and erase them "
        "everywhere: record, history, audit, imports, emails and exports. You get a signed receipt, and an "
        "anonymous fingerprint keeps them erased when a backup or an archive is restored.",
        place="persons.erasures",
        place_name="Erased people",
        evidence=_evidence,
        try_it="Open a contact and choose “Privacy request”. The page explains each step first.",
    ),
)
