"""The words of a record that search looks through: the SQL of the column that PostgreSQL indexes."""

from __future__ import annotations

# Written as spaces, so that the parser of PostgreSQL sees plain words: otherwise `ann.lee@example.com` is one word,
# which neither `lee` nor `example.com` finds. Only what the parser would join or swallow: each one costs every save.
PUNCTUATION = "@._-+/:<&"
_TWO_DIGIT_CODES = """20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58
60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98"""


def search_document(*columns: str, phone: str) -> str:
    """The SQL of a record's search column: the words of `columns`, and `phone` with and without its country code.

    Every letter costs each save and each imported row: what `sort_name` holds already is not named again, and where
    in the text a word stands is not kept.
    """
    texts = " || ' ' || ".join(f"coalesce({column}, '')" for column in columns)
    spaces = " " * len(PUNCTUATION)
    digits = f"coalesce(substr({phone}, 2), '')"
    return (
        f"strip(to_tsvector('simple', translate({texts}, '{PUNCTUATION}', '{spaces}') || ' ' || {digits} || ' ' || "
        f"{_national(phone)}))"
    )


def _national(phone: str) -> str:
    codes = ", ".join(f"'+{code}'" for code in _TWO_DIGIT_CODES.split())
    return (
        f"coalesce(case when left({phone}, 2) in ('+1', '+7') then substr({phone}, 3) "
        f"when left({phone}, 3) in ({codes}) then substr({phone}, 4) else substr({phone}, 5) end, '')"
    )
