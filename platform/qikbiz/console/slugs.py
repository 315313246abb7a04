"""Which names an organisation's address may have: readable, not ours, not mistaken for another's."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from qikbiz.kernel.errors import Conflict, Failure

SHORTEST, LONGEST = 3, 40
_RESERVED_NAMES = Path(__file__).with_name("reserved_names.txt")
_SHAPE = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
# Folded in the database as in `look_of`, so that no list of all names has to travel.
_LOOK = "replace(replace(translate(replace(slug, '-', ''), '015i', 'olsl'), 'rn', 'm'), 'vv', 'w')"


class BadName(Failure):
    """This name can't be given; the text says why and what to do."""

    key = "bad_name"


class NameTaken(Conflict):
    key = "name_taken"


def look_of(slug: str) -> str:
    """What a hurried reader sees: 0 as o, 1 and i as l, 5 as s, rn as m, vv as w, no hyphens."""
    return slug.replace("-", "").translate(str.maketrans("015i", "olsl")).replace("rn", "m").replace("vv", "w")


def check_shape(slug: str) -> None:
    """Raises BadName with the rule that `slug` breaks."""
    if not SHORTEST <= len(slug) <= LONGEST:
        raise BadName(f"An address has {SHORTEST} to {LONGEST} characters; “{slug[:60]}” has {len(slug)}.")
    if not _SHAPE.fullmatch(slug):
        raise BadName(f"“{slug}” may hold only a to z, 0 to 9 and hyphens, with a hyphen neither first nor last.")
    if "--" in slug:
        # xn--… would be read as a name in another script, and two hyphens look like one.
        raise BadName(f"“{slug}” has two hyphens in a row; use one.")
    if slug.isdecimal():
        raise BadName(f"“{slug}” is only a number; add a word.")
    if look_of(slug) in _reserved_looks():
        raise BadName(f"“{slug}” is reserved, or looks like a name that is; choose another.")


def check_free(session: Session, slug: str, *, reserved_for: str = "") -> None:
    """Raises NameTaken when the name, or one that looks like it, is or was another's.

    `reserved_for` is the reason under which a name may be taken back: the tenant's own former name.
    """
    look = {"look": look_of(slug)}
    taken = (
        session.execute(text(f"SELECT slug FROM tenants WHERE {_LOOK} = :look ORDER BY slug"), look).scalars().first()
    )
    if taken == slug:
        raise NameTaken(f"The address “{slug}” is taken.")
    if taken is not None:
        raise NameTaken(f"“{slug}” could be mistaken for “{taken}”, which is taken; choose another.")
    former = text(f"SELECT slug FROM reserved_names WHERE {_LOOK} = :look AND reason <> :reason LIMIT 1")
    if session.execute(former, look | {"reason": reserved_for}).first() is not None:
        raise NameTaken(f"“{slug}” was another organisation's address, or looks like one. Addresses are not reused.")


def name_used_before_by(tenant_id: object) -> str:
    """The reason under which a renamed tenant's former name is kept for it."""
    return f"renamed {tenant_id}"


@cache
def _reserved_looks() -> frozenset[str]:
    return frozenset(look_of(name) for name in _RESERVED_NAMES.read_text(encoding="ascii").split())
