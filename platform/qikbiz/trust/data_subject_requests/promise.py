"""How the rights of single people keep promise P6: data is protected, accurate and appropriately used."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from qikbiz.kernel.database import db
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.selection import PERSON
from qikbiz.trust.data_subject_requests.models import Erasure
from qikbiz.web.formats import number


def _evidence() -> Sequence[Fact]:
    erased = select(func.count()).select_from(Erasure).where(Erasure.state == "done")
    files = select(func.count()).select_from(Export).where(Export.product == PERSON, Export.ready_at.is_not(None))
    return [
        ("People who were given everything about themselves", number(db.session.scalar(files) or 0)),
        ("People who were erased, each with a receipt", number(db.session.scalar(erased) or 0)),
    ]


KEEPINGS = (
    Keeping(
        "P6",
        "When one of your contacts asks, you hand them a file of everything that is kept about them, and erase them "
        "wherever they are: record, history, audit, imports, mails and exports. You get a signed receipt, and a mark "
        "that names nobody keeps them erased when a back-up or an archive comes back.",
        place="persons.erasures",
        place_name="Erased people",
        evidence=_evidence,
        try_it="Open a contact and choose “When this person asks”: the page says first what each step does.",
    ),
)
