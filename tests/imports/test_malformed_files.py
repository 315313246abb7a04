"""Files as they really come: each has its stated outcome, and none of them imports anything by accident."""

from __future__ import annotations

import io
import itertools
import zipfile
from pathlib import Path

import pytest

from qikbiz.transfer.imports import csv_reader, limits
from qikbiz.transfer.imports.archives import opened
from qikbiz.transfer.imports.csv_dialect import Detection, Format, UnreadableFile, detect
from qikbiz.transfer.imports.csv_reader import RowProblem, RowReader
from tests.fixtures.file_source import FileSource

HEADER = b"Name,E-mail,City\n"
Read = list[tuple[int, list[str], RowProblem | None]]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path / "people.csv")


class Written:
    """A file of these bytes, looked at as an import does."""

    def __init__(self, path: Path) -> None:
        self.source = FileSource(path)

    def __call__(self, content: bytes) -> Written:
        self.source.path.write_bytes(content)
        return self

    def detected(self) -> Detection:
        return detect(self.source)

    def reader(self, shape: Format | None = None) -> RowReader:
        return RowReader(self.source, shape or self.detected().format)

    def rows(self, shape: Format | None = None) -> Read:
        return list(self.reader(shape))


def test_an_empty_file_is_refused(written: Written) -> None:
    with pytest.raises(UnreadableFile, match=r"The file is empty\."):
        written(b"").detected()


def test_a_file_of_blank_lines_is_refused(written: Written) -> None:
    with pytest.raises(UnreadableFile, match="no rows"):
        written(b"\n\n,,\n").reader()


def test_a_header_alone_has_no_rows(written: Written) -> None:
    assert written(HEADER).rows() == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_marked_and_wide_encodings_are_found(written: Written, encoding: str) -> None:
    content = "Name,E-mail,City\nZoë Lee,zoe@example.com,Kraków\n".encode(encoding)
    assert written(content).rows() == [(2, ["Zoë Lee", "zoe@example.com", "Kraków"], None)]


def test_latin1_bytes_are_proposed_with_the_lines_they_decide_and_not_guessed(written: Written) -> None:
    found = written(HEADER + "Ann,a@example.com,Graz\nJosé,j@example.com,Köln\n".encode("cp1252")).detected()
    assert (found.format.encoding, found.proposed) == ("", "cp1252")
    assert [(line.line, line.text) for line in found.differences] == [(3, "José,j@example.com,Köln")]


def test_with_utf8_insisted_on_only_the_bad_rows_carry_their_bytes(written: Written) -> None:
    rows = written(HEADER + "Zoë,z@example.com,\n".encode() + b"Jos\xe9,j@example.com,\n").rows(Format("utf-8", ","))
    assert [row[1][0] for row in rows] == ["Zoë", "Jos\udce9"]


@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r"])
def test_every_kind_of_line_end_is_read(written: Written, ends: bytes) -> None:
    rows = written(ends.join([b"Name,City", b"Ann,Graz", b"Bo,Linz", b""])).rows()
    assert [cells for _, cells, _ in rows] == [["Ann", "Graz"], ["Bo", "Linz"]]


def test_mixed_line_ends_are_read_too(written: Written) -> None:
    rows = written(b'Name,City\r\nAnn,Graz\nBo,Linz\rCy,"Wien\r\nMitte"\r\n').rows()
    assert [cells for _, cells, _ in rows] == [["Ann", "Graz"], ["Bo", "Linz"], ["Cy", "Wien\r\nMitte"]]


@pytest.mark.parametrize(("mark", "name"), [(b",", ","), (b";", ";"), (b"\t", "\t"), (b"|", "|")])
def test_the_delimiter_is_found(written: Written, mark: bytes, name: str) -> None:
    content = (
        mark.join([b"Name", b"E-mail", b"City"]) + b"\n" + mark.join([b"Lee; Ann, Dr", b"a@b.example", b"Graz"]) + b"\n"
    )
    if mark in b",;":
        content = content.replace(b"Lee; Ann, Dr", b'"Lee; Ann, Dr"')
    assert written(content).detected().format.delimiter == name


def test_the_first_line_of_a_spreadsheet_names_the_delimiter(written: Written) -> None:
    file = written(b"sep=;\r\nName;City\r\nLee, Ann;Graz\r\n")
    assert file.detected().format.delimiter == ";"
    assert file.rows() == [(3, ["Lee, Ann", "Graz"], None)]


def test_an_unclosed_quote_is_refused_with_its_place_instead_of_swallowing_the_file(written: Written) -> None:
    with pytest.raises(UnreadableFile, match="Row 3, column “City”: a quotation mark is opened and never closed"):
        written(HEADER + b'Ann,a@example.com,Graz\nBo,b@example.com,"Linz\n' + b"Cy,c@example.com,Wien\n" * 50).rows()


def test_a_quote_inside_a_quoted_cell_costs_that_row_only(written: Written) -> None:
    rows = written(HEADER + b'"Ann "the" Lee",a@example.com,Graz\nBo,b@example.com,Linz\n').rows()
    assert rows[0][2] is not None
    assert "quotation mark" in rows[0][2].reason
    assert rows[1] == (3, ["Bo", "b@example.com", "Linz"], None)


def test_rows_that_are_too_long_are_named_with_both_numbers_and_short_ones_completed(written: Written) -> None:
    rows = written(HEADER + b"Ann,a@example.com\nBo,b@example.com,Linz,more\nCy,c@example.com,Wien,,\n").rows()
    assert rows[0] == (2, ["Ann", "a@example.com", ""], None)
    assert rows[1][2] is not None and rows[1][2].reason == "The row has 4 cells, but the header has 3."
    assert rows[2] == (4, ["Cy", "c@example.com", "Wien"], None)


def test_blank_lines_are_no_rows_but_count_for_the_row_numbers(written: Written) -> None:
    reader = written(HEADER + b"\nAnn,a@example.com,Graz\n,,\n\n\nBo,b@example.com,Linz\n").reader()
    assert [number for number, _, _ in reader] == [3, 7]
    assert (reader.rows, reader.blank) == (2, 4)


def test_headings_that_occur_twice_stay_apart(written: Written) -> None:
    assert written(b"Phone,Phone,,Phone\n1,2,3,4\n").reader().header == ["Phone", "Phone (2)", "Column 3", "Phone (3)"]


def test_a_cell_longer_than_csvs_own_limit_is_read(written: Written) -> None:
    rows = written(HEADER + b"Ann,a@example.com," + b"x" * 131_073 + b"\n").rows()
    assert len(rows[0][1][2]) == 131_073


def test_a_cell_over_our_limit_is_refused_with_row_and_column(written: Written) -> None:
    rows = written(
        HEADER + b"Ann,a@example.com," + b"x" * (limits.LONGEST_CELL + 1) + b"\nBo,b@example.com,Linz\n"
    ).rows()
    assert rows[0][2] is not None
    assert (rows[0][0], rows[0][2].column, rows[0][2].reason) == (
        2,
        "“City”",
        "The cell holds more than 1,048,576 characters.",
    )
    assert rows[1][1][0] == "Bo"


def test_an_endless_line_does_not_fill_the_memory(written: Written) -> None:
    with pytest.raises(UnreadableFile, match="longer than 8 million characters"):
        written(HEADER + b"x," * (limits.LONGEST_LINE // 2 + 10)).rows()


def test_too_many_rows_and_columns_are_refused(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "MOST_ROWS", 3)
    with pytest.raises(UnreadableFile, match="more than 3 rows"):
        written(HEADER + b"Ann,a@example.com,Graz\n" * 4).rows()
    with pytest.raises(UnreadableFile, match="1,001 columns"):
        written(b",".join(b"c%d" % n for n in range(1_001)) + b"\n" + b"1," * 1_000 + b"1\n").reader()


def test_a_million_rows_are_allowed() -> None:
    assert limits.MOST_ROWS >= 1_048_576


def zipped(*members: tuple[zipfile.ZipInfo | str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    out.seek(0)
    return out


def linked() -> zipfile.ZipInfo:
    link = zipfile.ZipInfo("people.csv")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    return link


def locked() -> io.BytesIO:
    # The flag that says "encrypted", in the local header and in the directory.
    content = bytearray(zipped(("people.csv", HEADER)).getvalue())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return io.BytesIO(bytes(content))


def test_a_zip_of_one_csv_is_opened() -> None:
    file, name = opened(zipped(("__MACOSX/._people.csv", b"x"), ("people.csv", HEADER)), "people.zip")
    assert (name, file.read()) == ("people.csv", HEADER)


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        (zipped(("a.csv", HEADER), ("b.csv", HEADER)), "contains 2 CSV files"),
        (zipped(("bomb.csv", b"0" * 50_000_000)), "would unpack to 47 MB"),
        (zipped(("inner.zip", zipped(("a.csv", HEADER)).getvalue())), "another archive"),
        (zipped(("../../etc/passwd.csv", HEADER)), "a path outside"),
        (zipped(("/etc/passwd.csv", HEADER)), "a path outside"),
        (zipped((linked(), b"/etc/passwd")), "a link instead of a file"),
        (zipped(*((f"{n}.csv", b"") for n in range(1_000))), "contains 1,000 files"),
        (locked(), "password-protected"),
        (zipped(("manifest.json", b"{}"), ("contacts.csv", HEADER)), "a QikBiz export of everything"),
        (io.BytesIO(b"PK\x03\x04 and then nothing"), "damaged"),
    ],
    ids=["two", "bomb", "nested", "dots", "absolute", "link", "many", "locked", "export", "damaged"],
)
def test_every_other_zip_is_refused_before_anything_is_unpacked(archive: io.BytesIO, why: str) -> None:
    archive.seek(0)
    with pytest.raises(UnreadableFile, match=why):
        opened(archive, "people.zip")


def test_a_zip_that_is_damaged_anywhere_is_read_or_refused_in_words() -> None:
    """Its directory may be whole, and what is found unpacking be something else."""
    whole = zipped(("people.csv", HEADER + b"Ann,Lee\n" * 20)).getvalue()
    refused = 0
    for place, change in itertools.product(range(4, len(whole)), (0xFF, 0x01, 0x80)):
        damaged = bytearray(whole)
        damaged[place] ^= change
        try:
            file, _ = opened(io.BytesIO(bytes(damaged)), "people.zip")
            while file.read(64):
                pass
        except UnreadableFile:
            refused += 1
    assert refused > len(whole)


def document(*names: str) -> bytes:
    return zipped(*((name, b"<x/>") for name in names)).getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "Excel workbook"),
        (document("[Content_Types].xml", "xl/workbook.xml", "xl/sharedStrings.xml"), "Excel workbook"),
        (document("[Content_Types].xml", "word/document.xml"), "Office document"),
        (document("mimetype", "content.xml"), "spreadsheet document"),
        (document("Index/Document.iwa"), "spreadsheet document"),
        (b"\x1f\x8b\x08" + bytes(50), "gzip"),
        (b"%PDF-1.7\n", "PDF"),
        (b'\xef\xbb\xbf [ {"Name": "Ann"}]', "JSON"),
        (b'{\n  "contacts": []}', "JSON"),
        ('["Ann", "Bo"]'.encode("utf-16"), "JSON"),
        (b"\r\n<!DOCTYPE HTML><table><tr><td>Name", "HTML"),
        (b"<table>\n<tr><td>Name</td></tr></table>", "HTML"),
        (b'<?xml version="1.0"?><contacts/>', "XML"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 20, "not a text file"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann\r\nEND:VCARD\r\n", "vCard"),
    ],
)
def test_files_that_are_no_table_are_refused_with_a_sentence_each(written: Written, content: bytes, why: str) -> None:
    with pytest.raises(UnreadableFile, match=why) as refused:
        opened(io.BytesIO(content), "people.csv")
        written(content).detected()
    assert len(refused.value.text) > 50 and refused.value.text.endswith(".")


@pytest.mark.parametrize("header", [b"[Name],Email", b"{Name},Email", b"<Name>,Email", b'"[Name]","Email"', b"PKZ,x"])
def test_tables_whose_headings_look_a_little_like_it_are_read(written: Written, header: bytes) -> None:
    content = header + b"\nAnn,a@example.com\n"
    assert opened(io.BytesIO(content), "people.csv")[1] == "people.csv"
    assert written(content).detected().format.delimiter == ","


def test_of_two_delimiters_that_cut_alike_the_one_without_spaces_behind_it_counts(written: Written) -> None:
    file = written(b"Name;Place, country\r\nAnn Lee;Berlin, DE\r\nBob Ray;Paris, FR\r\n")
    assert file.detected().format.delimiter == ";"
    assert file.rows()[0][1] == ["Ann Lee", "Berlin, DE"]
