"""A request for whose body the disk has no space: it is answered, and others are served."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import Any

import pytest

from config.web_server.engine import Engine
from config.web_server.requests import Request


class NoRoom:
    """A body whose last bytes were kept in memory, and find no space when they are to be written."""

    def seek(self, *_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_body_that_finds_no_room_at_its_end_is_let_go() -> None:
    request = Request(body=_no_room())
    with pytest.raises(OSError, match="No space"):
        request.environ(peer="127.0.0.1", server=("", 0), scheme="http")
    request.close()


def _no_room() -> SpooledTemporaryFile[bytes]:
    body: Any = NoRoom()
    return body  # type: ignore[no-any-return]


@contextmanager
def running(tick: Any) -> Iterator[Engine]:
    engine = Engine(threads=2, streams=1, tick=tick)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def test_a_task_that_raises_costs_no_thread_and_no_lead() -> None:
    done: list[str] = []

    def broken() -> None:
        raise SystemExit(1)

    def tick() -> None:
        done.append("tick")
        broken()

    with running(tick) as engine:
        for _ in range(5):
            engine.call(broken)
            engine.call(lambda: engine.submit(broken, "a"))
        engine.call(lambda: done.append("called"))
        engine.call(lambda: engine.submit(lambda: done.append("run"), "b"))
        until = time.monotonic() + 10
        while time.monotonic() < until and not ({"called", "run"} <= set(done) and done.count("tick") > 1):
            time.sleep(0.05)
        assert {"called", "run"} <= set(done)
        assert done.count("tick") > 1
