"""Text that a spreadsheet would run as a formula, and the apostrophe that keeps it from doing so.

The escape is reversible: a cell that begins with a trigger or with an apostrophe gets one apostrophe in front, so
taking one off a cell that begins with one gives back exactly what was there.
"""

from __future__ import annotations

ESCAPE_RULE = "apostrophe-v1"
# What the names of files written by the rule end in, by which an import knows them.
FORMULA_SAFE_SUFFIX = ".spreadsheet.csv"
APOSTROPHE = "'"
# OWASP's list with LF, and the full-width forms that some programs fold to it.
FIRST_CHARACTERS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


def escape(text: str) -> str:
    """What a spreadsheet export writes for `text`."""
    return APOSTROPHE + text if text[:1] in (*FIRST_CHARACTERS, APOSTROPHE) else text


def unescape(cell: str) -> str:
    """The text that `escape` was given. For cells of a file whose escape rule is `apostrophe-v1` only."""
    return cell[1:] if cell[:1] == APOSTROPHE else cell
