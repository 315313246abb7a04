"""What a failure of a server means, and what to do about it, where it says so itself."""

import errno

import psycopg
import redis
from psycopg import errors

from config.keys import SealBroken
from config.settings import Settings

NOT_PREPARED = "The server is not prepared yet. Run `qikbiz migrate` to create the databases, roles and tables."
NO_SLOTS = (
    "All connections are in use: end programs that hold many (`SELECT usename, count(*) FROM pg_stat_activity "
    "GROUP BY 1`), raise max_connections, or lower QIKBIZ_WEB_WORKERS and QIKBIZ_WEB_THREADS."
)
REDIS_FULL = (
    "Redis is full, so users can't sign in and jobs don't start. Raise `maxmemory`, or remove other data from it."
)
DISK_FULL = "Free some disk space. Nothing was written halfway."
OTHER_KEYS = (
    "This was encrypted with another key ring. Set QIKBIZ_KEYS, or restore keys.json under QIKBIZ_HOME from a backup."
)
_SLOTS = ("too many clients", "connection slots", "too many connections")


def remedy_for(error: Exception, settings: Settings) -> str:
    """The remedy for this failure, as far as it names its cause; else how to connect to the server."""
    text = str(error)
    for is_it, remedy in (
        (any(sign in text for sign in _SLOTS), NO_SLOTS),
        (isinstance(error, redis.exceptions.OutOfMemoryError) or text.startswith("OOM "), REDIS_FULL),
        (isinstance(error, SealBroken), OTHER_KEYS),
        (isinstance(error, errors.DiskFull) or getattr(error, "errno", 0) in (errno.ENOSPC, errno.EDQUOT), DISK_FULL),
        (_is_unprepared(error, text), NOT_PREPARED),
        (settings.embedded, "Start the product with `make run`, which also starts its servers."),
    ):
        if is_it:
            return remedy
    return (
        "Check that the server runs, that this machine can reach it, and that the user and password in the URL "
        "are correct."
    )


def _is_unprepared(error: Exception, text: str) -> bool:
    if isinstance(error, errors.UndefinedTable | errors.InvalidSchemaName):
        return True
    # Refused while connecting, an error has no code, only the server's words.
    is_missing = "does not exist" in text and ('database "' in text or 'role "' in text)
    return isinstance(error, psycopg.OperationalError) and is_missing
