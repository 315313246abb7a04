"""In which code page a file that is not UTF-8 was written: the one in which its letters stand as in a language.

The same byte is è in Western and č in Central European files, so that only its neighbours tell them apart:
`letters.tsv` says how often which letters meet in a language. Windows-1252 is preferred when in doubt, since most
files are in it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from math import inf, log

_WESTERN = ("de", "fr", "es", "pt", "it", "sv", "da", "nb", "fi", "nl", "is")
_CENTRAL = ("pl", "cs", "sk", "hu", "hr", "sl", "ro")
# (codec, languages written in it, how much likelier than Windows-1252 it has to be, as a logarithm)
_PAGES = (
    ("cp1252", _WESTERN, 0.0),
    ("cp1250", _CENTRAL, 1.5),
    ("cp1251", ("ru", "uk", "bg"), 1.5),
    ("cp1253", ("el",), 1.5),
    ("cp1254", ("tr",), 1.5),
    ("cp1257", ("lt", "lv", "et"), 3.0),
    ("shift_jis", ("ja",), 1.5),
    ("gb18030", ("zh",), 1.5),
    ("euc_kr", ("ko",), 1.5),
    ("iso8859_2", _CENTRAL, 4.0),
    ("koi8_r", ("ru",), 4.0),
    ("mac_roman", _WESTERN, 5.0),
    ("cp850", _WESTERN, 5.0),
)
# The first bytes of the characters in daily use. Kana have counts of their own.
_COMMON = {"shift_jis": range(0x88, 0x98), "gb18030": range(0xB0, 0xD8), "euc_kr": range(0xB0, 0xC9)}
_PUNCTUATION = frozenset("€‚„…‹‘’“”•–—›\u00a0™©®«»")  # noqa: RUF001  # these very characters
_WITHIN_WORDS = frozenset("’–")  # noqa: RUF001
_OUTSIDE_ASCII = re.compile(r"[^\x00-\x7f]")
_ALPHABET = 30
_UNKNOWN = 1e-5
_SYMBOL, _MARK, _ODD_CAPITAL, _UNDECODABLE = log(1e-6), log(0.02), -5.0, -20.0
# A letter with the one before and the one behind it.
Place = tuple[str, str, str]


@dataclass(frozen=True)
class Letters:
    """Shares of the letters outside ASCII of one language, and of the pairs that they are in."""

    single: dict[str, float]
    pairs: dict[str, float]

    def log_share(self, place: Place) -> float:
        """How likely this letter between these is, where some letter outside ASCII stands."""
        before, letter, after = place
        share = self.single.get(letter, 0.0)
        if not share:
            return log(_UNKNOWN) - log(_ALPHABET) * (before.isascii() + after.isascii())
        found = log(share) + log(self._beside(before + letter, share) if before.isascii() else 1.0)
        if not before.isascii() and before in self.single:
            found = log(0.9 * self.pairs.get(before + letter, 0.0) / self.single[before] + 0.1 * share)
        # A neighbour outside ASCII counts with its own place.
        return found + (log(self._beside(letter + after, share)) if after.isascii() else 0.0)

    def _beside(self, pair: str, share: float) -> float:
        return 0.9 * min(1.0, self.pairs.get(pair, 0.0) / share) + 0.1 / _ALPHABET


def likeliest_code_page(sample: bytes) -> str:
    """The codec that the lines of `sample`, which are not UTF-8, were most likely written with."""
    best, found = -inf, "cp1252"
    for codec, languages, handicap in _PAGES:
        text = sample.decode(codec, "replace")
        score = (_score_of_characters if codec in _COMMON else _score_of_letters)(text, codec, languages)
        if score - handicap > best:
            best, found = score - handicap, codec
    return found


def _score_of_letters(text: str, _codec: str, languages: tuple[str, ...]) -> float:
    score, places = 0.0, Counter[Place]()
    for (before, letter, after), times in Counter(_outside_ascii(text)).items():
        if letter.isalpha():
            score += times * _case(before, letter, after)
            places[_plain(before), _small(letter), _plain(after)] += times
        else:
            score += times * _mark(before, letter, after)
    return score + max(
        sum(times * _log_share(language, place) for place, times in places.items()) for language in languages
    )


@lru_cache(maxsize=50_000)
def _log_share(language: str, place: Place) -> float:
    return _letters()[language].log_share(place)


def _score_of_characters(text: str, codec: str, languages: tuple[str, ...]) -> float:
    shares, score = _letters()[languages[0]].single, 0.0
    for character, times in Counter(text).items():
        if not character.isascii():
            share = 0.85 * shares.get(character, 0.0) + 0.15 * _usual_share(character, codec)
            score += times * (_UNDECODABLE if character == "\ufffd" else log(share))
    return score


def _usual_share(character: str, codec: str) -> float:
    first, *rest = character.encode(codec, "replace")
    if len(rest) != 1 or (codec != "shift_jis" and rest[0] < 0xA1):
        return 1e-8
    return 1 / 3_000 if first in _COMMON[codec] else _UNKNOWN


def _outside_ascii(text: str) -> Iterator[Place]:
    edged = f"\n{text}\n"
    for found in _OUTSIDE_ASCII.finditer(edged):
        place = found.start()
        yield edged[place - 1], edged[place], edged[place + 1]


def _case(before: str, letter: str, after: str) -> float:
    """A capital inside a word is rare; so is a small letter inside capitals."""
    is_odd = before.islower() if letter.isupper() else before.isupper() and after.isupper()
    return _ODD_CAPITAL if is_odd else 0.0


def _mark(before: str, mark: str, after: str) -> float:
    if mark == "\ufffd":
        return _UNDECODABLE
    if mark not in _PUNCTUATION:
        return _SYMBOL
    is_inside = before.isalpha() and after.isalpha() and mark not in _WITHIN_WORDS
    return _MARK + (_SYMBOL if is_inside else 0.0)


def _plain(neighbour: str) -> str:
    return _small(neighbour) if neighbour.isalpha() else "_"


def _small(letter: str) -> str:
    # The small form of the Turkish İ is two characters.
    small = letter.lower()
    return small if len(small) == 1 else letter


@cache
def _letters() -> dict[str, Letters]:
    listed = resources.files("qikbiz.kernel").joinpath("letters.tsv").read_text("utf-8")
    lines = (line.split("\t") for line in listed.splitlines() if not line.startswith("#"))
    return {language: _read(counts, 1 if language in ("ja", "zh", "ko") else 2) for language, counts in lines}


def _read(counts: str, width: int) -> Letters:
    pairs: dict[str, float] = {}
    single: defaultdict[str, float] = defaultdict(float)
    for group in counts.split(" "):
        count, _, joined = group.partition(":")
        for place in range(0, len(joined), width):
            pair = joined[place : place + width]
            pairs[pair] = int(count) / 10_000
            if not pair[-1].isascii():
                single[pair[-1]] += int(count) / 10_000
    return Letters(dict(single), pairs)
