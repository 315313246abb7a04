"""A second process that converts every second block of a large file: converting is what reading a file mostly costs.

Both processes read the whole file, which is cheap, and convert half of it each; the blocks come over a pipe. The
process is started afresh rather than forked, so that it shares no connection, no thread and no lock with the worker.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast
from uuid import UUID

from qikbiz.files.store import EncryptedFile
from qikbiz.kernel.feature import command_of
from qikbiz.transfer.imports.limits import MEGABYTE
from qikbiz.transfer.imports.plans import Plan
from qikbiz.transfer.imports.uploads import Source, StoredSource

# Below it, starting the process takes longer than it saves.
WORTH_IT = 8 * MEGABYTE
LENGTH = struct.Struct(">Q")


class SecondReaderGone(RuntimeError):
    """The process ended before it had given its blocks. The job's next try starts another one."""


class SecondReader:
    """Gives the blocks 1, 3, 5, … as lines for COPY, in their order."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._blocks = cast(BinaryIO, process.stdout)

    def next_block(self) -> bytes:
        """Raises SecondReaderGone."""
        return self._read(LENGTH.unpack(self._read(LENGTH.size))[0])

    def _read(self, length: int) -> bytes:
        found = self._blocks.read(length)
        if len(found) < length:
            raise SecondReaderGone("The second process that reads the file ended too early.")
        return found


@contextmanager
def second_reader(plan: Plan, source: Source, import_id: UUID) -> Iterator[SecondReader | None]:
    """One for the length of the block, or None where it would not pay."""
    stored = source.stored if isinstance(source, StoredSource) else None
    if not isinstance(stored, EncryptedFile) or stored.size < WORTH_IT or (os.cpu_count() or 1) < 2:
        yield None
        return
    given = {
        "plan": plan.as_json(),
        "import": str(import_id),
        "path": str(stored.path),
        "key": b64encode(stored.key).decode(),
    }
    command = command_of("qikbiz.transfer.imports.second_process:main")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            _widen(cast(BinaryIO, process.stdout))
            # The key of the file goes through the pipe: arguments and environment can be seen by others.
            cast(BinaryIO, process.stdin).write(json.dumps(given).encode())
            cast(BinaryIO, process.stdin).close()
            yield SecondReader(process)
        finally:
            process.kill()


def _widen(pipe: BinaryIO) -> None:
    """So much that the process need not wait while the first one is busy with a block of its own."""
    if sys.platform == "linux":
        with suppress(OSError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, MEGABYTE)
