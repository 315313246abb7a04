"""Requests of one process take turns, instead of fighting for Python's one interpreter.

A page is five milliseconds of Python with a dozen short waits for PostgreSQL and Redis between. When several threads
work on pages at once, each wait hands the interpreter to another thread and has to fight for it again: with four
threads that costs a third of all pages per second (docs/decisions/0006-web-server.md). So one request works at a time.

Nobody waits long for a slow one: after PATIENCE_SECONDS the next request begins beside it, which is what the further
threads are for. Sending the answer is no part of the turn, so slow readers of large files hold nobody up.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# A few pages long.
PATIENCE_SECONDS = 0.02


class Turns:
    """WSGI middleware: one request of the application at a time, as long as none takes long."""

    def __init__(self, application: WSGIApplication, patience: float = PATIENCE_SECONDS) -> None:
        self._application = application
        self._patience = patience
        self._turn = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        has_turn = self._turn.acquire(timeout=self._patience)
        try:
            return self._application(environ, start_response)
        finally:
            if has_turn:
                self._turn.release()


def register(app: Flask) -> None:
    app.wsgi_app = Turns(app.wsgi_app)  # type: ignore[method-assign]  # Flask documents this way of wrapping
