"""The encoding of a file that is not UTF-8 is proposed rightly, for names of any language."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from qikbiz.kernel.code_pages import likeliest_code_page
from qikbiz.transfer.imports.csv_dialect import ENCODINGS, detect
from tests.fixtures.file_source import FileSource

_NAMES = Path(__file__).parent / "fixtures" / "names.tsv"
_SIZES = (1, 3, 20, 300)
_FILES_OF_A_SIZE = 6
_RIGHT = 0.95


def languages() -> dict[str, tuple[str, list[list[str]]]]:
    """The code page of each language, with first names, last names and towns."""
    found = {}
    for line in _NAMES.read_text("utf-8").splitlines():
        language, codec, *lists = line.split("\t")
        found[language] = (codec, [names.split("|") for names in lists])
    return found


def table_of(lists: list[list[str]], rows: int, chance: random.Random) -> str:
    first, last, towns = lists
    lines = ["First name;Last name;Email;City"]
    while len(lines) <= rows:
        lines.append(
            f"{chance.choice(first)};{chance.choice(last)};p{len(lines)}@people.example;{chance.choice(towns)}"
        )
    return "\r\n".join(lines) + "\r\n"


def written(lists: list[list[str]], rows: int, codec: str) -> list[str]:
    """Tables that hold more than ASCII, always the same ones."""
    chance, found = random.Random(f"{codec}{rows}"), list[str]()
    while len(found) < (_FILES_OF_A_SIZE if rows < 300 else 1):
        table = table_of(lists, rows, chance)
        if not table.isascii():
            found.append(table)
    return found


def is_read_rightly(path: Path, table: str, codec: str) -> bool:
    """Whether the text comes out as it was; where two code pages give the same text, either is right."""
    path.write_bytes(table.encode(codec))
    return path.read_bytes().decode(detect(FileSource(path)).proposed) == table


def test_fifteen_languages_and_more_are_read_rightly_from_one_row_on(tmp_path: Path) -> None:
    for rows in _SIZES:
        rights: list[bool] = []
        for language, (codec, lists) in languages().items():
            here = [is_read_rightly(tmp_path / "people.csv", table, codec) for table in written(lists, rows, codec)]
            assert sum(here) >= 0.8 * len(here), (language, rows)
            rights += here
        assert sum(rights) >= _RIGHT * len(rights), rows
    assert len(languages()) >= 15


@pytest.mark.parametrize(
    ("codec", "language"), [("mac_roman", "fr"), ("cp850", "de"), ("iso8859_2", "pl"), ("koi8_r", "ru")]
)
def test_code_pages_of_other_systems_are_known_from_twenty_rows(tmp_path: Path, codec: str, language: str) -> None:
    table = table_of(languages()[language][1], 20, random.Random(codec))
    assert is_read_rightly(tmp_path / "people.csv", table, codec)


def test_what_tells_nothing_is_taken_for_windows_1252() -> None:
    assert likeliest_code_page("A;100 €;“so”\n".encode("cp1252")) == "cp1252"
    assert likeliest_code_page("Łódź;Kraków\n".encode("cp1250")) == "cp1250"


def test_letters_far_down_the_file_decide_too(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"Name;City\r\n" + b"Ann;Graz\r\n" * 120_000 + "Małgorzata;Łódź\r\n".encode("cp1250"))
    assert detect(FileSource(path)).proposed == "cp1250"


def test_whatever_is_proposed_can_be_chosen_and_read() -> None:
    for codec in ENCODINGS:
        assert "Ann".encode(codec).decode(codec) == "Ann"
