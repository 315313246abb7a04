"""A zip that holds one CSV file. Everything about it is judged from its directory, before anything is unpacked."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from lzma import LZMAError
from pathlib import PurePosixPath
from typing import IO

from qikbiz.transfer.imports.csv_dialect import UnreadableFile
from qikbiz.transfer.imports.limits import LARGEST_FILE, MEGABYTE
from qikbiz.transfer.imports.signatures import document_kind

_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_MOST_MEMBERS = 64
# Tables repeat themselves, yet none of ours came near; a bomb is at a thousand and more.
_LARGEST_RATIO = 250
_TABLES = (".csv", ".tsv", ".txt")
_ENCRYPTED = 0x1
# What zipfile and the packings raise over bytes that are not what the directory says: ValueError for a place before
# the beginning, EOFError for one after the end, RuntimeError for a password, OSError for bzip2.
_DAMAGE = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


class _Member(RawIOBase):
    """A file in a zip. What it is packed in may be damaged at any place, so that each reading may find it so."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Raises UnreadableFile."""
        with _damage_told():
            return self._packed.read(size)


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise UnreadableFile(
            "The zip file is damaged or uses an unsupported compression. Unzip it and import the CSV file."
        ) from error


def opened(given: IO[bytes], file_name: str) -> tuple[IO[bytes] | RawIOBase, str]:
    """The file to import and its name: the one given, or the only table in the zip given. Raises UnreadableFile.

    So does reading from it.
    """
    start = given.read(4)
    given.seek(0)
    if start not in _STARTS:
        return given, file_name
    with _damage_told():
        archive = zipfile.ZipFile(given)
        members = [member for member in archive.infolist() if not _is_hidden(member)]
        _refuse_documents(members)
        _refuse_unsafe(members)
        only = _only_table(members)
        return _Member(archive.open(only)), PurePosixPath(only.filename).name


def _is_hidden(member: zipfile.ZipInfo) -> bool:
    # What macOS adds beside each file.
    return member.filename.startswith("__MACOSX/") or PurePosixPath(member.filename).name == ".DS_Store"


def _refuse_documents(members: list[zipfile.ZipInfo]) -> None:
    kind = document_kind({member.filename for member in members})
    if kind:
        raise UnreadableFile(kind)


def _refuse_unsafe(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > _MOST_MEMBERS:
        raise UnreadableFile(f"The zip contains {len(members):,} files. Upload one that contains a single CSV file.")
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if total > LARGEST_FILE or total > _LARGEST_RATIO * max(packed, 1):
        raise UnreadableFile(
            f"The zip would unpack to {total // MEGABYTE:,} MB, which is too large. Nothing was unpacked."
        )
    for member in members:
        _refuse_member(member)


def _refuse_member(member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise UnreadableFile("The zip contains a file with a path outside the zip. Nothing was unpacked.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UnreadableFile("The zip contains a link instead of a file. Nothing was unpacked.")
    if member.flag_bits & _ENCRYPTED:
        raise UnreadableFile("The zip is password-protected. Unzip it and import the CSV file.")
    if path.suffix.lower() in (".zip", ".gz", ".7z", ".rar", ".xz", ".bz2", ".tar"):
        raise UnreadableFile("The zip contains another archive. Unzip it and import the CSV file.")


def _only_table(members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    names = {PurePosixPath(member.filename).name for member in members}
    if "manifest.json" in names:
        raise UnreadableFile(
            "This is a QikBiz export of everything. Restore it into an empty organisation with `qikbiz import`; to "
            "import one list, unzip it and choose its CSV file."
        )
    tables = [
        member for member in members if not member.is_dir() and PurePosixPath(member.filename).suffix.lower() in _TABLES
    ]
    if len(tables) != 1:
        raise UnreadableFile(f"The zip contains {len(tables)} CSV files. Upload one that contains exactly one.")
    return tables[0]
