"""The zip of an export, written as a stream: hashed and compressed in a thread while the next rows are being read.

Equal rows give equal bytes: names are in a fixed order and times inside the zip are fixed.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Protocol, Self, cast

from qikbiz.files.store import Draft

BLOCK = 256 * 1024
NEWLINE = b"\r\n"
# Enough that neither side waits for the other, little enough to count for nothing in memory.
BLOCKS_AHEAD = 8
# Level 1 shrinks rows to a sixth at 200 MB/s; higher levels cost more time than the disk they save.
COMPRESSION_LEVEL = 1


class Writable(Protocol):
    def write(self, data: bytes, /) -> int: ...


class Measured:
    """What was written through it: how many bytes, and their SHA-256."""

    def __init__(self, target: Writable) -> None:
        self.size = 0
        self._target = target
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self._digest.update(data)
        return self._target.write(data)

    def flush(self) -> None:
        """For zipfile, which asks."""


class Archive:
    """A zip that is being written into a draft. `close` writes its directory; `size`, `sha256`: the zip's own."""

    def __init__(self, draft: Draft) -> None:
        self._measured = Measured(draft)
        self._zip = zipfile.ZipFile(
            cast(IO[bytes], self._measured),  # it needs only write and flush
            "w",
            zipfile.ZIP_DEFLATED,
            compresslevel=COMPRESSION_LEVEL,
        )
        self._pool = ThreadPoolExecutor(1, "archive")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        if kind is not None:
            # Half a zip must not be finished when it is collected.
            self._zip.fp = None

    @property
    def size(self) -> int:
        return self._measured.size

    @property
    def sha256(self) -> str:
        return self._measured.sha256

    @contextmanager
    def member(self, name: str) -> Iterator[Member]:
        """One file of the zip. Leave the block before the next one begins."""
        with self._zip.open(name, "w", force_zip64=True) as opened:
            member = Member(Measured(opened), self._pool)
            try:
                yield member
                member.settle()
            except BaseException:
                # Nothing may still be written to what is about to be closed.
                self._pool.shutdown(cancel_futures=True)
                raise

    def add_text(self, name: str, text: str) -> None:
        with self.member(name) as member:
            member.write(text.encode())

    def close(self) -> None:
        self._zip.close()


class Member:
    """A file of the zip. After the block `size` and `sha256` are those of its content."""

    def __init__(self, measured: Measured, pool: ThreadPoolExecutor) -> None:
        self._measured = measured
        self._pool = pool
        self._waiting: deque[Future[int]] = deque()

    @property
    def size(self) -> int:
        return self._measured.size

    @property
    def sha256(self) -> str:
        return self._measured.sha256

    def write(self, block: bytes) -> None:
        """Hand `block` to the thread; waits when that is too far behind. Raises what the thread met."""
        if len(self._waiting) >= BLOCKS_AHEAD:
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(self._measured.write, block))

    def settle(self) -> None:
        while self._waiting:
            self._waiting.popleft().result()


def blocks_of(rows: Iterable[bytes | bytearray | memoryview]) -> Iterator[tuple[bytes, int]]:
    """PostgreSQL's rows, which end in LF, gathered to blocks of RFC 4180 lines; each with its number of rows."""
    gathered: list[bytes | bytearray | memoryview] = []
    size = 0
    for row in rows:
        gathered.append(row[:-1])
        size += len(row)
        if size >= BLOCK:
            yield NEWLINE.join(gathered) + NEWLINE, len(gathered)
            gathered, size = [], 0
    if gathered:
        yield NEWLINE.join(gathered) + NEWLINE, len(gathered)


def heading_line(headings: Iterable[str]) -> bytes:
    quoted = ('"' + heading.replace('"', '""') + '"' for heading in headings)
    return ",".join(quoted).encode() + NEWLINE
