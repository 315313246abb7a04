"""The file on its way in: kept encrypted in the store, read from any place as often as needed."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import IO, BinaryIO, Protocol

from qikbiz.files.store import StoredFile, file_store, new_file_key, open_file_key, seal_file_key
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import TooLarge
from qikbiz.transfer.imports.limits import LARGEST_FILE, MEGABYTE
from tenants.context import current_tenant
from tenants.control import new_id


class Source(Protocol):
    """Something that can be read from its start, again and again."""

    @property
    def size(self) -> int: ...

    def open(self) -> BinaryIO: ...


@dataclass(frozen=True)
class StoredSource:
    """A file in the store."""

    stored: StoredFile

    @property
    def size(self) -> int:
        return self.stored.size

    def open(self) -> BinaryIO:
        return io.BufferedReader(_StoredBytes(self.stored), buffer_size=256 * 1024)


class _StoredBytes(io.RawIOBase):
    """The store's pieces as a seekable file."""

    def __init__(self, stored: StoredFile) -> None:
        self._stored = stored
        self._place = 0
        self._pieces = stored.read()
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._stored.size}[whence]
        self._place = start + offset
        self._pieces, self._waiting = self._stored.read(self._place), b""
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed names the parameter otherwise
        if not self._waiting:
            self._waiting = next(self._pieces, b"")
        taken = self._waiting[: len(buffer)]
        buffer[: len(taken)] = taken
        self._waiting = self._waiting[len(taken) :]
        self._place += len(taken)
        return len(taken)


@dataclass(frozen=True, slots=True)
class Kept:
    """A file just stored. `key` is sealed as the database row holds it."""

    name: str
    key: bytes
    size: int
    sha256: str


def keep_upload(given: BinaryIO | IO[bytes] | io.RawIOBase) -> Kept:
    """Store a file of the tenant entered, over no other. Raises TooLarge, and then nothing is kept."""
    name = f"imports/{current_tenant().id}/{new_id()}"
    key, digest, size = new_file_key(), hashlib.sha256(), 0
    with file_store().draft(name, key) as draft:
        while chunk := given.read(MEGABYTE):
            size += len(chunk)
            if size > LARGEST_FILE:
                raise TooLarge(f"The file is larger than {LARGEST_FILE // MEGABYTE} MB. Split it and import the parts.")
            digest.update(chunk)
            draft.write(chunk)
        draft.finish()
    return Kept(name, seal_file_key(runtime().settings.keys, name, key), size, digest.hexdigest())


def kept_upload(name: str, sealed_key: bytes) -> Source:
    """Raises FileGone."""
    return StoredSource(file_store().open(name, open_file_key(runtime().settings.keys, name, sealed_key)))


def forget_upload(name: str) -> None:
    file_store().delete(name)
