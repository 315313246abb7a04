"""Files that the program keeps, each encrypted with a key of its own that lives in the database row beside its name.

Deleting the key deletes the file, in back-ups too. A file is a header and chunks of AES-256-GCM, numbered in the nonce
and the last one marked (the STREAM construction), so that it is written and read as a stream, from any place, in
constant memory, and a chunk that was changed, moved, left out or cut off is noticed. docs/file-format.md specifies it.
"""

from __future__ import annotations

import os
import shutil
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.fault_injection import fault
from config.keys import KeyRing
from qikbiz.kernel.database import runtime

MAGIC = b"QBF1"
CHUNK = 256 * 1024
TAG = 16
HEADER = MAGIC + struct.pack(">I", CHUNK) + bytes(8)
KEY_BYTES = 32
KEY_PURPOSE = "file"
PART = ".part"


class FileBroken(Exception):
    """The stored bytes are not what was written, or the key is another file's."""


class FileGone(Exception):
    """There is no such file any more."""


def new_file_key() -> bytes:
    return os.urandom(KEY_BYTES)


def seal_file_key(keys: KeyRing, name: str, key: bytes) -> bytes:
    """The key as a database row may hold it, bound to the file's name."""
    return keys.seal(KEY_PURPOSE, key, bound_to=name).encode("ascii")


def open_file_key(keys: KeyRing, name: str, sealed: bytes) -> bytes:
    return keys.open(KEY_PURPOSE, sealed.decode("ascii"), bound_to=name).plaintext


class Draft(Protocol):
    """A file being written. It exists under its name only after `finish`; left without, it vanishes."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *failure: object) -> None: ...

    def write(self, data: bytes) -> int: ...

    def flush(self) -> None: ...

    def finish(self) -> None: ...


class StoredFile(Protocol):
    """A finished file: `size` is that of its content."""

    size: int

    def read(self, start: int = 0, length: int | None = None) -> Iterator[bytes]: ...


class FileStore(Protocol):
    """Where files lie: a folder, or later a service with the same four verbs."""

    def draft(self, name: str, key: bytes) -> Draft: ...

    def open(self, name: str, key: bytes) -> StoredFile: ...

    def delete(self, name: str) -> None: ...

    def names(self, prefix: str) -> list[str]: ...

    def free_bytes(self) -> int: ...


def file_store() -> FileStore:
    """The store of the current application."""
    return FolderStore(runtime().settings.files)


class FolderStore:
    """A folder. `names` are relative paths such as `exports/<tenant>/<file>`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def draft(self, name: str, key: bytes) -> Draft:
        return EncryptedDraft(self._path(name), key, shared=self._is_shared())

    def open(self, name: str, key: bytes) -> StoredFile:
        return EncryptedFile(self._path(name), key)

    def delete(self, name: str) -> None:
        """Remove the file or the unfinished draft of that name, if there is one."""
        self._path(name).unlink(missing_ok=True)

    def names(self, prefix: str) -> list[str]:
        """Every file and unfinished draft (ending in .part) whose name starts with `prefix`."""
        folder = self._path(prefix.rpartition("/")[0])
        found = (path.relative_to(self.root).as_posix() for path in folder.glob("*")) if folder.is_dir() else ()
        return sorted(name for name in found if name.startswith(prefix))

    def free_bytes(self) -> int:
        self.root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.root).free

    def _is_shared(self) -> bool:
        """Where each kind of process has an account of its own, the folder is their group's (config/tmpfiles.d)."""
        return self.root.is_dir() and bool(self.root.stat().st_mode & stat.S_ISGID)

    def _path(self, name: str) -> Path:
        path = self.root / name
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise ValueError(f"{name!r} is outside the store.")
        return path


class EncryptedDraft:
    """Written beside its place and renamed when it is whole and on the disk."""

    def __init__(self, path: Path, key: bytes, *, shared: bool = False) -> None:
        self._path = path
        self._part = path.with_name(path.name + PART)
        self._cipher = AESGCM(key)
        self._waiting = bytearray()
        self._chunks = 0
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o770 if shared else 0o700)
        mode = 0o660 if shared else 0o600
        self._file: BinaryIO = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb")
        self._file.write(HEADER)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._file.closed:
            return
        self._part.unlink(missing_ok=True)
        # Closing writes what is still in memory, which fails once more where the disk is full.
        with suppress(OSError):
            self._file.close()

    def write(self, data: bytes) -> int:
        self._waiting += data
        # The last chunk is sealed as such, so a full one waits until it is known that more follows.
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), is_last=False)
            del self._waiting[:CHUNK]
        return len(data)

    def flush(self) -> None:
        """For zipfile, which asks; chunks are written when they are full."""

    def finish(self) -> None:
        self._seal(bytes(self._waiting), is_last=True)
        self._file.flush()
        fault("file.before_sync")
        os.fsync(self._file.fileno())
        fault("file.before_rename")
        self._part.rename(self._path)
        self._file.close()
        fault("file.after_rename")
        _sync_directory(self._path.parent)

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        fault("file.write")
        self._file.write(self._cipher.encrypt(_nonce(self._chunks, is_last=is_last), chunk, HEADER))
        self._chunks += 1


class EncryptedFile:
    """Raises FileGone or FileBroken; what was yielded before FileBroken was whole, chunk by chunk."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self.key = key
        self._cipher = AESGCM(key)
        try:
            stored = path.stat().st_size - len(HEADER)
        except FileNotFoundError as error:
            raise FileGone(path.name) from error
        self._chunks = max(1, -(-stored // (CHUNK + TAG)))
        self.size = stored - self._chunks * TAG
        if self.size < 0:
            raise FileBroken(path.name)

    def read(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The content from `start`, `length` bytes of it, in pieces of at most a chunk."""
        end = self.size if length is None else min(self.size, start + length)
        if not 0 <= start <= end:
            return
        with self.path.open("rb") as file:
            if file.read(len(HEADER)) != HEADER:
                raise FileBroken(self.path.name)
            for index in range(start // CHUNK, max(-(-end // CHUNK), 1)):
                chunk, base = self._chunk(file, index), index * CHUNK
                yield chunk[max(0, start - base) : end - base]

    def _chunk(self, file: BinaryIO, index: int) -> bytes:
        file.seek(len(HEADER) + index * (CHUNK + TAG))
        try:
            nonce = _nonce(index, is_last=index == self._chunks - 1)
            return self._cipher.decrypt(nonce, file.read(CHUNK + TAG), HEADER)
        except InvalidTag as error:
            raise FileBroken(self.path.name) from error


def _nonce(index: int, *, is_last: bool) -> bytes:
    # Numbers do for nonces, since no key is used for a second file.
    return struct.pack(">Q3x?", index, is_last)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
