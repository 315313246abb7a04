"""Telling a full disk, a used-up quota and a PostgreSQL without room from every other failure."""

from __future__ import annotations

import errno

import psycopg

from qikbiz.kernel.errors import Failure

FULL = (errno.ENOSPC, errno.EDQUOT)
SENTENCE = "The server's disk is full. Nothing was saved. Try again when space has been freed."


class NoDiskSpace(Failure):
    """There is no space for what was to be written. Nothing of it is left behind."""

    status, key = 507, "disk_full"

    def __init__(self, text: str = SENTENCE) -> None:
        super().__init__(text)


def is_disk_full(error: BaseException | None) -> bool:
    """Whether this failure, or one that it came from, is a disk without room, here or at PostgreSQL."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, NoDiskSpace | psycopg.errors.DiskFull):
            return True
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        error = getattr(error, "orig", None) or error.__cause__ or error.__context__
    return False
