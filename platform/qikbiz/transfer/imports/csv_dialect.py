"""How a file is written: its encoding and delimiter. Found from the bytes, shown, changeable, never silent."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TextIO

from qikbiz.kernel.code_pages import likeliest_code_page
from qikbiz.kernel.errors import Failure
from qikbiz.transfer.imports.header_rows import LOOKED_AT, header_row_of
from qikbiz.transfer.imports.limits import LARGEST_FILE, LONGEST_LINE, MEGABYTE
from qikbiz.transfer.imports.signatures import other_kind
from qikbiz.transfer.imports.uploads import Source

# The name a person reads, by the codec's. Windows-1252 stands before latin-1: that is what "latin-1" files are.
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 without byte order mark (little-endian)",
    "utf-16-be": "UTF-16 without byte order mark (big-endian)",
    "cp1252": "Western European (Windows-1252)",
    "latin-1": "Western European (Latin-1)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1256": "Arabic (Windows-1256)",
    "cp1257": "Baltic (Windows-1257)",
    "iso8859_2": "Central European (Latin-2)",
    "koi8_r": "Cyrillic (KOI8-R)",
    "mac_roman": "Western European (Mac Roman)",
    "cp850": "Western European (DOS 850)",
    "shift_jis": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
    "big5": "Traditional Chinese (Big5)",
    "euc_kr": "Korean (EUC-KR)",
}
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SAMPLE = 4_096
# So many bytes of lines that are not ASCII tell the code page.
_TELLING = 16_384
_MOST_DIFFERENCES = 5
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_MOST_CONTROLS = 0.1


class UnreadableFile(Failure):
    """The file can't be imported as it is; the text says what is wrong with it and what to do."""

    status, key = 400, "unreadable_file"


@dataclass(frozen=True, slots=True)
class Format:
    """How to read a file. `encoding` is "" while nobody has said which: the bytes allow several.

    `is_formula_safe` files are our own spreadsheet exports, whose apostrophes are taken off again. The headings are in
    row `header_row`, counted from 1 with blank ones; 0 is the first row that holds anything.
    """

    encoding: str
    delimiter: str
    has_header: bool = True
    is_formula_safe: bool = False
    header_row: int = 0

    @property
    def is_known(self) -> bool:
        return bool(self.encoding and self.delimiter)


@dataclass(frozen=True, slots=True)
class Difference:
    """A line that is not UTF-8, and how it reads in the encoding proposed."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found. When the bytes are not UTF-8, `proposed` is our guess and `differences` the lines it decides.

    `lines` is about how many rows there are, for progress bars.
    """

    format: Format
    proposed: str = ""
    differences: tuple[Difference, ...] = ()
    lines: int = 0


def detect(source: Source) -> Detection:
    """Look at the whole file once. Raises UnreadableFile for an empty or an over-long one."""
    if source.size == 0:
        raise UnreadableFile("The file is empty.")
    if source.size > LARGEST_FILE:
        raise UnreadableFile(f"The file is larger than {LARGEST_FILE // MEGABYTE} MB. Split it and import the parts.")
    sample = _sample(source)
    kind = other_kind(sample)
    if kind:
        raise UnreadableFile(kind)
    looked, marked = _look_through(source), _marked_encoding(sample)
    if not marked and len(_CONTROLS.findall(sample)) > _MOST_CONTROLS * len(sample):
        raise UnreadableFile("This is not a text file. Export the list as CSV from the program it comes from.")
    encoding = marked or ("utf-8" if looked.is_utf8 else "")
    proposed = encoding or likeliest_code_page(looked.telling)
    delimiter = _delimiter(source, proposed)
    differences = () if encoding else tuple(_differences(source, proposed))
    return Detection(Format(encoding, delimiter), proposed, differences, looked.lines)


def checked_format(
    found: Format,
    *,
    encoding: str,
    delimiter: str,
    has_header: bool,
    is_formula_safe: bool = False,
    header_row: int = 0,
) -> Format:
    """The format a person chose. Raises UnreadableFile for a choice that is none of ours."""
    if not 0 <= header_row <= LOOKED_AT:
        raise UnreadableFile(f"The header row must be one of the first {LOOKED_AT} rows.")
    if encoding not in ENCODINGS:
        raise UnreadableFile("Choose the encoding of the file.")
    if delimiter not in DELIMITERS:
        raise UnreadableFile("Choose the delimiter of the file.")
    return replace(
        found,
        encoding=encoding,
        delimiter=delimiter,
        has_header=has_header,
        is_formula_safe=is_formula_safe,
        header_row=header_row,
    )


def with_header_found(source: Source, shape: Format) -> Format:
    """The format with the row of the headings, as far as the encoding is known."""
    if not shape.encoding or not shape.has_header:
        return replace(shape, header_row=0)
    lines = first_lines(source, shape.encoding, LOOKED_AT)
    announced = 1 if lines and announced_delimiter(lines[0]) else 0
    found = header_row_of(lines[announced:], shape.delimiter)
    return replace(shape, header_row=found + announced if found else 0)


def open_text(source: Source, encoding: str) -> TextIO:
    """The file as text, line ends as they are. Bytes that are not UTF-8 become lone surrogates: the row is refused."""
    codec, errors = ("utf-8-sig", "surrogateescape") if encoding == "utf-8" else (encoding, "replace")
    return io.TextIOWrapper(source.open(), encoding=codec, errors=errors, newline="")


def first_lines(source: Source, encoding: str, count: int = 20) -> list[str]:
    """The first lines as text, each cut at a few thousand characters."""
    with open_text(source, encoding) as text:
        lines = [text.readline(4_000) for _ in range(count)]
    return [line for line in lines if line]


def _sample(source: Source) -> bytes:
    with source.open() as file:
        return file.read(_SAMPLE)


def _marked_encoding(sample: bytes) -> str:
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return encoding
    # UTF-16 without its mark: every second byte of Western text is NUL.
    even, odd = sample[0:2_000:2].count(0), sample[1:2_000:2].count(0)
    if max(even, odd) > 0.7 * min(1_000, len(sample) / 2) and min(even, odd) == 0:
        return "utf-16-le" if odd > even else "utf-16-be"
    return ""


@dataclass(frozen=True, slots=True)
class _Looked:
    """Whether every byte is UTF-8, how many lines end, and the first lines that are not ASCII."""

    is_utf8: bool
    lines: int
    telling: bytes


def _look_through(source: Source) -> _Looked:
    decoder, is_utf8, lines, telling = codecs.getincrementaldecoder("utf-8")(), True, 0, b""
    with source.open() as file:
        while chunk := file.read(MEGABYTE):
            lines += chunk.count(b"\n")
            is_utf8 = is_utf8 and _decodes(decoder, chunk)
            if len(telling) < _TELLING and not chunk.isascii():
                telling += b"\n".join(line for line in chunk.splitlines() if not line.isascii())[:_TELLING] + b"\n"
    return _Looked(is_utf8 and _decodes(decoder, b"", final=True), max(1, lines), telling)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _differences(source: Source, encoding: str) -> Iterator[Difference]:
    found = 0
    with source.open() as file:
        for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                yield Difference(number, line.decode(encoding, "replace").strip()[:300])
                found += 1
            if found == _MOST_DIFFERENCES:
                return


def _delimiter(source: Source, encoding: str) -> str:
    lines = first_lines(source, encoding, LOOKED_AT)
    named = announced_delimiter(lines[0] if lines else "")
    if named:
        return named
    # The delimiter is what cuts most lines into equally many columns; text has a space behind its commas.
    return max(DELIMITERS, key=lambda mark: _fit(lines, mark))


def announced_delimiter(line: str) -> str:
    """The delimiter that a first line `sep=;` names, as spreadsheets write and read it; else ""."""
    text = line.strip("\r\n\ufeff").strip('"')
    return text[4:] if text.lower().startswith("sep=") and text[4:] in DELIMITERS else ""


def _fit(lines: list[str], mark: str) -> tuple[float, int, float]:
    """How many rows are as wide as the usual one, how wide that is, and how seldom a space follows the mark."""
    try:
        rows = [row for row in csv.reader(lines[:-1] or lines, delimiter=mark) if any(row)]
    except csv.Error:
        return (0.0, 0, 0.0)
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return (0.0, 0, 0.0)
    width, alike = max(widths.items(), key=lambda found: (found[1], found[0]))
    text = "".join(lines)
    return (alike / len(rows), width, 1 - text.count(mark + " ") / text.count(mark))
