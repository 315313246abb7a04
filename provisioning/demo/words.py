"""The word lists beside this file: names of many cultures, places, and phone numbers that are kept for fiction."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
# Letters that Unicode does not take apart.
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "ß": "ss", "đ": "d", "æ": "ae", "\u0131": "i"})


@dataclass(frozen=True)
class Word:
    """How a name is written, and its Latin letters for an address."""

    written: str
    latin: str

    @property
    def is_latin(self) -> bool:
        return unicodedata.name(self.written[0]).startswith("LATIN")


@dataclass(frozen=True)
class Culture:
    given: tuple[Word, ...]
    family: tuple[Word, ...]


@dataclass(frozen=True)
class City:
    name: str
    region: str
    postal_code: str


@dataclass(frozen=True)
class Country:
    """`phone` is a range kept for fiction by each regulator, # a free digit."""

    code: str
    forms: tuple[str, ...]
    phone: str
    streets: tuple[str, ...]
    cities: tuple[City, ...]


@cache
def cultures() -> tuple[Culture, ...]:
    return tuple(
        Culture(tuple(map(_word, given.split())), tuple(map(_word, family.split())))
        for _, given, family in _rows("names.txt")
    )


@cache
def countries() -> tuple[Country, ...]:
    return tuple(
        Country(code, _texts(forms), phone, _texts(streets), tuple(City(*c.split("/")) for c in _texts(cities)))
        for code, forms, phone, streets, cities in _rows("places.txt")
    )


@cache
def words() -> dict[str, tuple[str, ...]]:
    return {kind: _texts(listed) for kind, listed in _rows("words.txt")}


def latin(text: str) -> str:
    """Small Latin letters and digits, words joined by hyphens."""
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    letters = "".join(mark for mark in decomposed if not unicodedata.combining(mark))
    return re.sub(r"[^a-z0-9]+", "-", letters.replace("'", "").replace("\u2019", "")).strip("-")


def _rows(name: str) -> list[list[str]]:
    lines = (_HERE / name).read_text(encoding="utf-8").splitlines()
    return [[part.strip() for part in line.split(" | ")] for line in lines if line and not line.startswith("#")]


def _texts(listed: str) -> tuple[str, ...]:
    return tuple(word.replace("·", " ") for word in listed.split())


def _word(entry: str) -> Word:
    written, _, romanised = entry.replace("·", " ").partition("=")
    return Word(written, romanised or latin(written))
