"""Passwords that are tried first: those of old leaks, patterns, and what is known about the person."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from functools import cache

_COMMON = "This password is in lists of passwords that attackers try first. Choose another one."
_PATTERN = "This password follows a simple pattern. Choose one that can't be guessed from its beginning."
_CONTEXT = "This password is mostly your name, your workspace's name or QikBiz. Choose another one."
_ALWAYS = ("qikbiz", "qikbizcrm")
_KEYS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop")
_ROWS = _KEYS + tuple(row[::-1] for row in _KEYS)
_SHORTEST_RUN = 3
# What is left of a password once known words and patterns are taken out must still be worth guessing.
_LEAST_OWN = 8
# Nobody tries patterns of this length; what is so long is let be, pattern or not.
_LONG = 64
_SKIPPED = frozenset(string.punctuation + string.whitespace)


def weakness_of(password: str, context: Iterable[str] = ()) -> str | None:
    """Why `password` is easy to guess, or None."""
    folded = password.casefold()
    plain = "".join(character for character in folded if character not in _SKIPPED)
    if not _common().isdisjoint((folded, plain, _undecorated(plain))):
        return _COMMON
    if len(folded) >= _LONG:
        return None
    if _is_repetition(folded) or len(set(folded)) < 5 or len(_without_runs(plain)) < _LEAST_OWN:
        return _PATTERN
    rest = plain
    for word in sorted({w for text in (*context, *_ALWAYS) for w in _words(text)}, key=len, reverse=True):
        rest = rest.replace(word, "")
    return _CONTEXT if rest != plain and len(_without_runs(rest)) < _LEAST_OWN else None


@cache
def _common() -> frozenset[str]:
    # Imported when first needed: the lists take some megabytes, which a worker never uses.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415  # see above

    return frozenset(FREQUENCY_LISTS["passwords"])


def _undecorated(plain: str) -> str:
    """`password2026` is `password`: digits at the end don't make a word hard to guess."""
    return re.sub(r"\d{1,12}$", "", plain)


def _is_repetition(text: str) -> bool:
    """One piece of at most half the length, over and over: `abcabcabc…`."""
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 2 + 1))


def _without_runs(text: str) -> str:
    """`text` with each run of the alphabet, of digits, of a row of keys or of one character shortened to one."""
    kept, at = [], 0
    while at < len(text):
        length = _run_at(text, at)
        kept.append(text[at])
        at += length if length >= _SHORTEST_RUN else 1
    return "".join(kept)


def _run_at(text: str, start: int) -> int:
    same = next((n for n in range(1, len(text) - start) if text[start + n] != text[start]), len(text) - start)
    longest = same
    for row in _ROWS:
        at = row.find(text[start])
        length = 0
        while at >= 0 and text[start + length : start + length + 1] == row[at + length : at + length + 1] != "":
            length += 1
        longest = max(longest, length)
    return longest


def _words(text: str) -> list[str]:
    pieces = re.split(r"[\W_]+", text.casefold())
    return [piece for piece in (*pieces, "".join(pieces)) if len(piece) >= 3]
