"""One clear sentence for each error of a command."""

import errno
import sys

FULL = (errno.ENOSPC, errno.EDQUOT)


class Refused(Exception):
    """A command that can't or mustn't be done; the message is the sentence that the person reads."""


# Classes are looked up by module and name: naming them by import would load every driver for each `--help`.
SERVER_AWAY = {
    ("psycopg.errors", "DiskFull"): "The database's disk is full",
    ("sqlalchemy.exc", "OperationalError"): "The database can't be reached",
    ("psycopg", "OperationalError"): "The database can't be reached",
    ("redis.exceptions", "ConnectionError"): "Redis can't be reached",
    ("redis.exceptions", "TimeoutError"): "Redis does not answer",
}


def sentence_for(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Stopped."
    if getattr(error, "errno", None) in FULL:
        return f"{_full_disk(error)} is full. Free some space, then run the command again. Nothing was changed halfway."
    away = _server_that_is_away(error)
    if away:
        return (
            f"{away}: {_first_line(error)} Is `make run` or your own server running? Run `qikbiz doctor` for details."
        )
    if _is_meant_for_people(error):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} can't be used: {error.strerror}."
    return f"{_first_line(error)} ({type(error).__name__}; `qikbiz --debug …` shows where)"


def _full_disk(error: BaseException) -> str:
    name = getattr(error, "filename", None)
    return f"The disk that holds {name}" if name else "The disk"


def _server_that_is_away(error: BaseException) -> str | None:
    for (module, name), saying in SERVER_AWAY.items():
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return saying
    return None


def _is_meant_for_people(error: BaseException) -> bool:
    """Our own exceptions carry sentences for people; a library's don't."""
    package = type(error).__module__.partition(".")[0]
    return isinstance(error, Refused) or package in {"config", "tenants", "qikbiz", "provisioning", "workers"}


def _first_line(error: BaseException) -> str:
    line = (str(error).strip().splitlines() or [type(error).__name__])[0].strip()
    return line if line.endswith((".", "!", "?")) else f"{line}."
