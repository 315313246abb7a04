"""Titles and notes above a table, short rows, and rows with broken quotation marks."""

from __future__ import annotations

import pytest

from qikbiz.transfer.imports.csv_dialect import Format, UnreadableFile, detect, with_header_found
from qikbiz.transfer.imports.csv_reader import RowReader
from qikbiz.transfer.imports.header_rows import header_row_of
from tests.fixtures.file_source import FileSource
from tests.fixtures.web import Browser
from tests.imports.harness import ImportHarness
from tests.imports.test_malformed_files import Written, written
from tests.imports.test_wizard import alice, upload

__all__ = ["alice", "written"]
LINKEDIN = (
    "Notes:\r\n"
    '"When exporting your connection data, you may notice that some of the email addresses are missing."\r\n'
    "\r\n"
    "First Name,Last Name,URL,Email Address,Company,Position,Connected On\r\n"
    "Anna,Lee,https://www.linkedin.com/in/anna-ex,a@example.com,Acme,CEO,12 Mar 2025\r\n"
)


def read(file: Written) -> RowReader:
    source: FileSource = file.source
    return file.reader(with_header_found(source, detect(source).format))


def test_notes_above_the_table_are_skipped(written: Written) -> None:
    reader = read(written(LINKEDIN.encode()))
    assert reader.header[:2] == ["First Name", "Last Name"]
    assert [(number, cells[0]) for number, cells, _ in reader] == [(5, "Anna")]


@pytest.mark.parametrize("lines", [1, 5, 20])
@pytest.mark.parametrize("padding", ["", ",,", ",,,,"])
def test_titles_of_reports_are_skipped(written: Written, lines: int, padding: str) -> None:
    title = "".join(f"Title {number}{padding}\n" for number in range(lines))
    reader = read(written(f"{title}Name,E-mail,City,Country,Phone\n".encode() + b"Ann,a@b.example,Graz,AT,\n" * 3))
    assert (reader.header[0], reader.header_row) == ("Name", lines + 1)


@pytest.mark.parametrize(
    "text",
    [
        "Name,Email\nAnn,a@b.example\n",
        "Name\nAnn\nBo\n",
        "Name,Email,,,\nAnn,a@b.example,1,2,3\nBo,b@b.example,1,2,3\n",
        "\n\nName,Email\nAnn,a@b.example\n",
        "Name,Email,City\nAnn\nBo\nCy\n",
        "Ann\n",
        '"broken\n',
    ],
)
def test_the_first_line_stays_the_heading_where_nothing_speaks_against_it(text: str) -> None:
    assert header_row_of(text.splitlines(keepends=True), ",") == 0


def test_a_person_can_say_in_which_row_the_headings_are(alice: Browser) -> None:
    import_id, _ = upload(alice, b"Name,Email,City\nReport of,May,2026\nVorname,E-Mail,Ort\nAnn,ann@example.com,Graz\n")
    page = alice.get(f"/imports/{import_id}/format").text
    assert 'name="header_row"' in page and 'value="1"' in page
    sent = {"encoding": "utf-8", "delimiter": ",", "has_header": "1", "header_row": "3", "act": "preview"}
    alice.post(f"/imports/{import_id}/format", sent)
    page = alice.get(f"/imports/{import_id}/format").text
    assert "<th" in page and "Vorname" in page and "Report of" not in page
    refused = alice.post(f"/imports/{import_id}/format", sent | {"header_row": "77"})
    assert refused.status_code == 400 and "one of the first 60 rows" in refused.text
    refused = alice.post(f"/imports/{import_id}/format", sent | {"header_row": "9"})
    assert refused.status_code == 400 and "no such row" in refused.text


def test_rows_shorter_than_the_headings_are_completed(import_harness: ImportHarness) -> None:
    content = (
        "First name,Last name,Email,Mobile,Notes\r\n"
        "Sh,One,one@example.com,+49 170 1234567,hello\r\n"
        "Sh,Two,two@example.com\r\n"
    )
    assert import_harness.bring_in(content)["created"] == 2


def test_rows_of_spaces_are_blank(written: Written) -> None:
    reader = written("Name,E-mail,City\nAnn,a@b.example,Graz\n \t, ,\n\u00a0\n".encode()).reader()
    assert [cells[0] for _, cells, _ in reader] == ["Ann"]
    assert reader.blank == 2


def test_a_broken_row_of_several_lines_is_refused_alone_and_names_its_column(written: Written) -> None:
    content = b'First name,Notes,Email\nA,"line 1\nsaid "hi" to me",a@example.com\nB,ok,b@example.com\n'
    rows = written(content).rows()
    assert rows[0][2] is not None
    assert (rows[0][2].column, rows[0][2].reason) == (
        "“Notes”",
        "There is a quotation mark inside a quoted cell.",
    )
    assert rows[1][1] == ["B", "ok", "b@example.com"]


def test_a_broken_row_that_swallowed_others_refuses_the_file(written: Written) -> None:
    content = b'Name,Notes,Email\nA,"never closed,a@example.com\nB,ok,b@example.com\nC,"quoted",c@example.com\n'
    with pytest.raises(UnreadableFile, match="Row 2, column “Notes”"):
        written(content).rows(Format("utf-8", ","))
