"""One e-mail address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from sqlalchemy import Row

from qikbiz.crm.schema.field import (
    ParseCell,
    ParseLocale,
    People,
)
from qikbiz.crm.schema.html import safe_texts
from qikbiz.crm.schema.kinds.presence import FilteredByPresence
from qikbiz.crm.schema.normalize import normalise_email
from qikbiz.crm.schema.validation import FieldProblem

_PLAIN = re.compile(r"(?=[^@]{1,64}@)([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@([A-Za-z0-9.-]{4,100})")


@dataclass(frozen=True)
class Email(FilteredByPresence):
    kind: ClassVar[str] = "email"
    input_type: ClassVar[str] = "email"

    def read(self, text: str, locale: ParseLocale) -> str:
        return normalise_email(text)

    def parse_cell(self, locale: ParseLocale) -> ParseCell:
        return lambda text: quick_email(text) if text.strip() else None

    def href(self, record: object, text: str) -> str:
        return mail_link(getattr(record, self.name)) if text else ""

    def cells(self, rows: Sequence[Row[tuple[object, ...]]], people: People) -> list[str]:
        return [_cell(address) for address in safe_texts([getattr(row, self.name) for row in rows])]


def mail_link(address: str) -> str:
    """The link that begins a mail to this address, or nothing where one would not be safe."""
    # A question mark would begin the headers of a mail that another person has written.
    return "" if "?" in address or "%" in address else f"mailto:{address}"


def quick_email(text: str) -> str:
    """What `normalise_email` gives, without the library where that is certain; a test holds both against each other.

    A plain name before the @ is certain; its domain is judged once for all.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        return normalise_email(text)
    domain = _usual_domain(plain[2])
    return f"{plain[1].lower()}@{domain}" if domain else normalise_email(text)


@lru_cache(maxsize=50_000)
def _usual_domain(domain: str) -> str:
    try:
        return normalise_email(f"a@{domain}")[2:]
    except FieldProblem:
        return ""


def _cell(address: str) -> str:
    href = mail_link(address) if address else ""
    return f'<td><a href="{href}">{address}</a></td>' if href else f"<td>{address}</td>"
