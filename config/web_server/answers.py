"""The application's answer to one request: called, turned into bytes, handed to the connection."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from config.web_server.requests import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)
Header = tuple[str, str]
# A longer answer is sent piece by piece, by a thread that does nothing else meanwhile.
SENT_WHOLE = 1024 * 1024
FAILED = "Something went wrong on our side. Try again in a moment."
BUSY = "Too many large files are being sent at the moment. Try again in a minute."


class Receiver(Protocol):
    """Where an answer goes."""

    def finish(self, data: bytes, *, keep_alive: bool) -> None:
        """The last bytes, or all of them; never waits."""

    def stream(self, data: bytes) -> bool:
        """Some bytes with more to come; waits until they are taken. False when the client takes them no more."""

    def begin_stream(self) -> bool:
        """From now on only `stream` and `finish` are called. False when too many are sending already."""


class Answer:
    """Runs the application for one request and sends what it answers."""

    def __init__(self, application: WSGIApplication, request: Request, receiver: Receiver) -> None:
        self._application = application
        self._request = request
        self._receiver = receiver
        self._status = ""
        self._headers: list[Header] = []
        self._written: list[bytes] = []
        self._head_is_sent = False
        self._is_chunked = False
        self._keep_alive = True

    def run(self, environ: WSGIEnvironment) -> None:
        """Never raises: what goes wrong is answered, or ends the connection when the answer has begun."""
        pieces: Iterable[bytes] = ()
        try:
            pieces = self._application(environ, self._start)
            self._send(pieces)
        except BaseException:  # sys.exit among them: the connection waits for an answer
            logger.exception("request_failed")
            self._fail(500, FAILED)
        finally:
            _close(pieces)
            self._request.close()

    def _start(self, status: str, headers: list[Header], exc_info: Any = None) -> Callable[[bytes], object]:
        if exc_info and self._head_is_sent:
            raise exc_info[1].with_traceback(exc_info[2])
        self._status, self._headers = status, headers
        return self._written.append

    def _send(self, pieces: Iterable[bytes]) -> None:
        rest = iter(pieces)
        begin, size = self._written, sum(map(len, self._written))
        for piece in rest:
            begin.append(piece)
            size += len(piece)
            if size > SENT_WHOLE:
                self._stream(chain([b"".join(begin)], rest))
                return
        self._finish(b"".join(begin))

    def _stream(self, pieces: Iterable[bytes]) -> None:
        if not self._receiver.begin_stream():
            self._fail(503, BUSY)
            return
        left = self._announced()
        for piece in pieces:
            left = None if left is None else left - len(piece)
            if (left or 0) < 0 or (piece and not self._receiver.stream(self._as_sent(piece))):
                break
        else:
            # Shorter than announced: the next answer would be taken for its rest.
            self._keep_alive = self._keep_alive and (not left or self._request.method == "HEAD")
            end = b"0\r\n\r\n" if self._is_chunked and self._request.method != "HEAD" else b""
            self._receiver.finish(end, keep_alive=self._keep_alive)
            return
        self._receiver.finish(b"", keep_alive=False)

    def _finish(self, body: bytes) -> None:
        if self._has_body() and self._request.method != "HEAD" and self._announced() not in (None, len(body)):
            raise ValueError("the answer is not as long as it says")
        if self._has_body() and not self._has("content-length"):
            self._headers = [*self._headers, ("Content-Length", str(len(body)))]
        self._receiver.finish(self._as_sent(body), keep_alive=self._keep_alive)

    def _as_sent(self, piece: bytes) -> bytes:
        head = b"" if self._head_is_sent else self._head()
        self._head_is_sent = True
        if self._request.method == "HEAD" or not self._has_body():
            return head
        return head + (b"%x\r\n%b\r\n" % (len(piece), piece) if self._is_chunked else piece)

    def _head(self) -> bytes:
        self._is_chunked = self._has_body() and not self._has("content-length") and self._request.version != "1.0"
        has_end = self._is_chunked or not self._has_body() or self._has("content-length")
        self._keep_alive = self._request.keep_alive and has_end
        lines = [f"HTTP/1.1 {self._status}", f"Date: {_now()}"]
        lines += [f"{name}: {value}" for name, value in self._headers if name.lower() != "connection"]
        lines += ["Transfer-Encoding: chunked"] if self._is_chunked else []
        lines += [] if self._keep_alive else ["Connection: close"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _announced(self) -> int | None:
        """How long the application says that the body is."""
        return next((int(value) for name, value in self._headers if name.lower() == "content-length"), None)

    def _has(self, name: str) -> bool:
        return any(key.lower() == name for key, _ in self._headers)

    def _has_body(self) -> bool:
        return not self._status.startswith(("1", "204", "304"))

    def _fail(self, status: int, sentence: str) -> None:
        self._receiver.finish(b"" if self._head_is_sent else refusal(status, sentence), keep_alive=False)


def refusal(status: int, sentence: str) -> bytes:
    """A whole answer of the server's own; the connection is closed after it."""
    body = f"{sentence}\n".encode()
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Date: {_now()}"]
    lines += ["Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(body)}", "Cache-Control: no-store"]
    lines += ["X-Content-Type-Options: nosniff", *(["Retry-After: 2"] if status == 503 else []), "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


_date: tuple[int, str] = (0, "")


def _now() -> str:
    global _date  # noqa: PLW0603 - one string a second
    second = int(time.time())
    if _date[0] != second:
        _date = second, formatdate(second, usegmt=True)
    return _date[1]


def _close(pieces: Iterable[bytes]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        try:
            close()
        except Exception:
            logger.exception("request_not_closed")
