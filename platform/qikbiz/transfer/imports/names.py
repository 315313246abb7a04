"""A whole name in one cell → first and last name."""

from __future__ import annotations

import re

# Behind a name, often after a comma: part of the last name, never the first one.
_SUFFIX = re.compile(
    r"(?:jr|sr|jnr|snr|ii|iii|iv|esq|phd|ph\.d|md|m\.d|dds|mba|cpa|rn|jd|j\.d|msc|m\.sc|bsc|b\.sc|ba|b\.a|ma|m\.a"
    r"|llm|ll\.m|dipl\.?-?ing|obe|cbe|mbe|facs)\.?",
    re.IGNORECASE,
)
# Before a last name, and part of it when written small: Vincent van Gogh, María de la Peña.
_PARTICLES = frozenset({
    "van", "von", "vom", "zu", "zum", "zur", "der", "den", "dem", "ter", "ten", "de", "del", "della", "di", "da",
    "das", "do", "dos", "du", "des", "la", "le", "las", "los", "y", "el", "al", "bin", "ibn", "ben", "af", "av",
})  # fmt: skip
# Of these a few are first or last names by themselves: Al Green, Ben Day, Le Minh.
_FEWEST_WORDS = 3


def split_name(text: str) -> tuple[str, str]:
    """First and last name of `Ann Lee`, `Lee, Ann`, `Martin Lee, Jr.` and `Vincent van Gogh`; either may be empty."""
    parts = [" ".join(part.split()) for part in text.split(",")]
    suffixes: list[str] = []
    while len(parts) > 1 and (not parts[-1] or all(map(_is_suffix, parts[-1].split()))):
        suffixes = [*parts.pop().split(), *suffixes]
    words = parts[0].split()
    if len(parts) > 1:
        return " ".join(parts[1:]).strip(), " ".join([*words, *suffixes])
    while len(words) > 1 and _is_suffix(words[-1]) and not words[-1].islower() and len(words) > _FEWEST_WORDS - 1:
        suffixes.insert(0, words.pop())
    begin = len(words) - 1
    while begin > 1 and words[begin - 1] in _PARTICLES:
        begin -= 1
    return " ".join(words[:begin]), " ".join([*words[max(begin, 0) :], *suffixes])


def _is_suffix(word: str) -> bool:
    return _SUFFIX.fullmatch(word) is not None
