"""Structured logs: one JSON object a line, with ids and without personal data."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime

Context = Callable[[], dict[str, object]]
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_contexts: list[Context] = []


def add_context(context: Context) -> None:
    """Have `context()` add its fields (request id, tenant, user id …) to every line of this process."""
    if context not in _contexts:
        _contexts.append(context)


class JsonFormatter(logging.Formatter):
    """Time (UTC), level, logger, event, the fields of `extra`, and the traceback's frames without their values."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "event": record.getMessage(),
        }
        for context in _contexts:
            line.update(context())
        line.update({k: v for k, v in vars(record).items() if k not in _STANDARD})
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["traceback"] = _frames(record)
        return json.dumps(line, default=str, ensure_ascii=True)


def configure_logging(process: str, level: str = "INFO") -> None:
    """Send every logger of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(process))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("werkzeug", "alembic", "faker"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _frames(record: logging.LogRecord) -> list[str]:
    # The message of an exception may quote a row's values; frames name only code.
    assert record.exc_info
    frames, traceback = [], record.exc_info[2]
    while traceback:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 3)[-1]}:{traceback.tb_lineno} {code.co_qualname}")
        traceback = traceback.tb_next
    return frames[-12:]
