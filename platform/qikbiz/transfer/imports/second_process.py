"""What the second process of `parallel_convert` does."""

from __future__ import annotations

import json
import os
import sys
from base64 import b64decode
from pathlib import Path
from uuid import UUID

from qikbiz.files.store import EncryptedFile
from qikbiz.kernel.errors import Failure
from qikbiz.transfer.imports.parallel_convert import LENGTH
from qikbiz.transfer.imports.plans import Plan
from qikbiz.transfer.imports.staging import odd_blocks
from qikbiz.transfer.imports.uploads import StoredSource


def main() -> None:
    """Read the task from standard input and write blocks until the file ends."""
    given = json.loads(sys.stdin.buffer.read())
    source = StoredSource(EncryptedFile(Path(given["path"]), b64decode(given["key"])))
    try:
        for block in odd_blocks(Plan.from_json(given["plan"]), source, UUID(given["import"])):
            sys.stdout.buffer.write(LENGTH.pack(len(block)) + block)
        sys.stdout.buffer.flush()
    except (BrokenPipeError, Failure):
        # The worker is gone, or reads for itself by now what is wrong with the file.
        os._exit(1)
