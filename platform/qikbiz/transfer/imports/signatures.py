"""Files that are no table of text, known by how they begin: each gets a sentence that says how to make one of it."""

from __future__ import annotations

import re

EXCEL = "This is an Excel workbook. Save it in Excel as “CSV UTF-8 (Comma delimited)” and import that file."
_SPREADSHEET = "This is a spreadsheet document. Save it as CSV in its own program and import that file."
_BEGINNINGS = (
    (b"\xd0\xcf\x11\xe0", EXCEL),
    (b"\x1f\x8b", "This file is packed with gzip. Unpack it and import the CSV file in it."),
    (b"BZh", "This file is packed with bzip2. Unpack it and import the CSV file in it."),
    (b"\xfd7zXZ\x00", "This file is packed with xz. Unpack it and import the CSV file in it."),
    (b"7z\xbc\xaf", "This is a 7-Zip archive. Unpack it and import the CSV file in it."),
    (b"Rar!", "This is a RAR archive. Unpack it and import the CSV file in it."),
    (b"%PDF-", "This is a PDF document. Export the table as CSV from the program it comes from."),
    (b"{\\rtf", "This is a text document (RTF). Export the table as CSV from the program it comes from."),
    (b"SQLite format 3", "This is a database file. Export its table as CSV and import that file."),
)
_JSON = re.compile(rb'[{]\s*(?:"|}|$)|\[\s*(?:[{\[]|"[^"]*"\s*[\],]|\]|$)')
_HTML = re.compile(rb"<(?:!doctype html|html|head|body|table|meta)\b", re.IGNORECASE)
_FROM_THE_PROGRAM = "Export the list as CSV from the program it comes from."
_PAGE = "This is a web page (HTML), perhaps under a table's name. Open it in a spreadsheet program and save it as CSV."
_CARDS = "This is a file of contact cards (vCard). Export the contacts as CSV instead."
_TEXTS = (
    (_HTML, _PAGE),
    (re.compile(rb"<\?xml\b", re.IGNORECASE), f"This is an XML file. {_FROM_THE_PROGRAM}"),
    (re.compile(rb"BEGIN:VCARD\b", re.IGNORECASE), _CARDS),
    (_JSON, f"This is a JSON file. {_FROM_THE_PROGRAM}"),
)
# Members by which documents that are zip files are known.
_DOCUMENTS = {
    "[Content_Types].xml": "This is an Office document. Save its table as “CSV UTF-8” and import that file.",
    "xl/workbook.xml": EXCEL,
    "xl/workbook.bin": EXCEL,
    "content.xml": _SPREADSHEET,
    "Index/Document.iwa": _SPREADSHEET,
}


def other_kind(start: bytes) -> str:
    """What to do with a file that begins so, if it is known to be no table of text; else ""."""
    for beginning, advice in _BEGINNINGS:
        if start.startswith(beginning):
            return advice
    # The texts can come with a byte order mark, or in UTF-16.
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip(b"\xff\xfe").replace(b"\x00", b"").lstrip()
    return next((advice for pattern, advice in _TEXTS if pattern.match(text)), "")


def document_kind(members: set[str]) -> str:
    """The same for a zip file with these members."""
    return next((_DOCUMENTS[name] for name in reversed(_DOCUMENTS) if name in members), "")
