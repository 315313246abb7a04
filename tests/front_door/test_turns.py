"""Requests of one process take turns, but nobody waits long for a slow one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import EnvironBuilder

from qikbiz.web.front_door import QikBiz
from qikbiz.web.turns import Turns


def test_one_request_works_at_a_time() -> None:
    at_work, most, lock = 0, 0, threading.Lock()

    def page(_environ: object, _start: object) -> Iterable[bytes]:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.002)
        with lock:
            at_work -= 1
        return [b"done"]

    turns = Turns(page, patience=10)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(turns), range(40)))
    assert answers == [[b"done"]] * 40
    assert most == 1


def test_a_slow_request_is_waited_for_only_a_moment() -> None:
    finish, begun = threading.Event(), threading.Event()

    def page(environ: dict[str, str], _start: object) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            begun.set()
            finish.wait(20)
        return [environ["PATH_INFO"].encode()]

    turns = Turns(page, patience=0.01)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, turns, "/slow")
        assert begun.wait(20)
        assert ask(turns, "/quick") == [b"/quick"]
        assert not slow.done()
        finish.set()
        assert slow.result(20) == [b"/slow"]
    assert ask(turns, "/quick") == [b"/quick"]


def test_a_turn_ends_with_an_error() -> None:
    def page(_environ: object, _start: object) -> Iterable[bytes]:
        raise ZeroDivisionError

    turns = Turns(page, patience=60)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            ask(turns)


def test_sending_the_answer_is_no_part_of_the_turn() -> None:
    turns = Turns(lambda _environ, _start: (piece for piece in [b"a", b"b"]), patience=60)
    first, second = iter(ask_lazily(turns)), iter(ask_lazily(turns))
    assert [next(first), next(second), next(first), next(second)] == [b"a", b"a", b"b", b"b"]


def test_the_application_takes_turns(app: QikBiz) -> None:
    wrapped: object = app.wsgi_app
    kinds = []
    while hasattr(wrapped, "_application"):
        kinds.append(type(wrapped).__name__)
        wrapped = wrapped._application
    assert kinds == ["OnlyEncrypted", "StaticFiles", "Turns"]


def ask(turns: Turns, path: str = "/") -> list[bytes]:
    return list(ask_lazily(turns, path))


def ask_lazily(turns: Turns, path: str = "/") -> Iterable[bytes]:
    return turns(EnvironBuilder(path=path).get_environ(), lambda *_: lambda _: None)
