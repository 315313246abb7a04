"""Each promise of the statement with how it is kept, how it is proved, and the evidence of the organisation at hand."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, url_for
from flask_login import current_user

from qikbiz.database import db
from qikbiz.permissions import Permission, permission_of
from qikbiz.privacy.text import Section, StatementText
from qikbiz.promises.keeping import Fact, Keeping
from qikbiz.promises.proofs import Proof, Proofs
from qikbiz.promises.registry import keepings

logger = logging.getLogger(__name__)
UNREADABLE: Fact = ("Not shown", "These figures could not be read just now. Load the page again in a while.")


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a promise is kept. `url` is "" when there is no page, or not for this person."""

    how: str
    url: str
    place_name: str
    evidence: Sequence[Fact]


@dataclass(frozen=True, slots=True)
class PromiseShown:
    """A promise as its page shows it."""

    number: str
    sentence: str
    ways: tuple[Way, ...]
    proofs: tuple[Proof, ...]

    @property
    def green(self) -> int:
        return sum(proof.is_green for proof in self.proofs)

    @property
    def state(self) -> str:
        """Is "proved" when every test behind it passed; "described" when there is none; "failing" when one did not."""
        if not self.proofs or not self.ways:
            return "described" if self.ways else "open"
        return "proved" if self.green == len(self.proofs) else "failing"


@dataclass(frozen=True, slots=True)
class SectionShown:
    heading: str
    promises: tuple[PromiseShown, ...]


def sections_shown(text: StatementText, proofs: Proofs, *, in_tenant: bool) -> tuple[SectionShown, ...]:
    """The whole statement, section by section. Evidence and links are only for somebody inside a tenant."""
    return tuple(_section(section, proofs, in_tenant=in_tenant) for section in text.sections)


def _section(section: Section, proofs: Proofs, *, in_tenant: bool) -> SectionShown:
    shown = tuple(
        PromiseShown(
            number=promise.number,
            sentence=promise.text,
            ways=tuple(_way(keeping, in_tenant=in_tenant) for keeping in keepings().get(promise.number, ())),
            proofs=proofs.behind.get(promise.number, ()),
        )
        for promise in section.promises
    )
    return SectionShown(section.heading, shown)


def _way(keeping: Keeping, *, in_tenant: bool) -> Way:
    may_open = in_tenant and _may_open(keeping.place)
    # Figures are for those who may see the page they come from; a promise without a page has them for everybody.
    is_for_this_person = may_open or (in_tenant and not keeping.place)
    return Way(
        how=keeping.how,
        url=url_for(keeping.place) if may_open else "",
        place_name=keeping.place_name,
        evidence=_evidence(keeping) if is_for_this_person else (),
    )


def _may_open(endpoint: str) -> bool:
    view = current_app.view_functions.get(endpoint) if endpoint else None
    permission = permission_of(view) if view else None
    return permission is Permission.PUBLIC or (permission is not None and bool(current_user.can(permission)))


def _evidence(keeping: Keeping) -> Sequence[Fact]:
    """What the room says about this tenant. A room that fails takes only its own figures off the page."""
    try:
        with db.session.begin_nested():
            return tuple(keeping.evidence())
    except Exception:
        logger.exception("evidence_failed", extra={"promise": keeping.promise, "place": keeping.place})
        return (UNREADABLE,)
