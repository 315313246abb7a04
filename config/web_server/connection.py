"""One connection: requests are read whole, one after another, each within its deadlines and limits."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import httptools

from config.web_server.answers import Answer, refusal
from config.web_server.engine import READ, WRITE
from config.web_server.limits import UPLOADS
from config.web_server.line import Line
from config.web_server.requests import TOO_LARGE, Refused, Request

if TYPE_CHECKING:
    from config.web_server.process import Web

# How long, and how much, is still read and thrown away after a refusal, so that the sentence arrives before the end.
LINGER_SECONDS, LINGER_BYTES = 2.0, 16 * 2**20
TOO_SLOW = "The request took too long to arrive."
HEAD_TOO_LARGE = "The head of the request is too large."
UNREADABLE = "The request can't be read."
NO_ROOM = "There is no disk space for this request. Tell the operator of this installation."
logger = logging.getLogger(__name__)


class _OneAtATime(Exception):
    """A second request before the first was answered. Its client asks again once the connection is closed."""


class Connection:
    """Everything runs in the leader's thread, except `finish`, `stream` and `begin_stream`, which a request calls.

    `Web` closes it when `deadline` (monotonic) has passed.
    """

    def __init__(self, web: Web, line: Line, peer: str) -> None:
        self._web = web
        self._line = line
        self.peer = peer
        # No request of it is with the application.
        self.is_waiting = True
        # A browser opens connections before it needs them.
        self.deadline = time.monotonic() + web.limits.idle_seconds
        self._parser = httptools.HttpRequestParser(self)
        self._request: Request | None = None
        self._head_bytes = 0
        self._uploads_for = ""
        self._is_over = False
        self._closes_after_answer = False
        self._thrown_away = 0

    def begin(self) -> None:
        self._web.engine.watch(self._line.file, READ, self._act)

    def close(self) -> None:
        """End it at once, also in the middle of a request."""
        self._is_over = True
        self._web.engine.unwatch(self._line.file)
        self._web.admission.leave(self)
        self._end_upload()
        if self._request is not None and self.is_waiting:
            self._request.close()
        self._line.close()

    def look(self, now: float) -> None:
        """End what took too long: with a sentence when a request has begun, without one when nothing was asked."""
        if now < self.deadline:
            return
        if self._is_over or self._request is None or self._line.has_unsent:
            self.close()
        else:
            try:
                self._refuse(Refused(408, TOO_SLOW))
            except OSError:  # the other end has gone this very moment
                self.close()

    # the request calls these, in its own thread

    def finish(self, data: bytes, *, keep_alive: bool) -> None:
        try:
            self._line.write(data)
        except OSError:
            keep_alive = False
        self._web.engine.call(lambda: self._finished(keep_alive=keep_alive))

    def stream(self, data: bytes) -> bool:
        try:
            return self._line.write_all(data, self._web.limits.send_seconds)
        except OSError:
            return False

    def begin_stream(self) -> bool:
        return self._web.engine.step_aside()

    # httptools calls these

    def on_message_begin(self) -> None:
        if not self.is_waiting:
            raise _OneAtATime
        self._request = Request()
        self.deadline = time.monotonic() + self._web.limits.head_seconds
        self._web.admission.moved(self)

    def on_url(self, piece: bytes) -> None:
        self._at_hand.target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        # What follows the body in chunks comes too late: who is in front of us has checked the head alone.
        if not self._at_hand.method:
            self._at_hand.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        request = self._at_hand
        request.method = self._parser.get_method().decode("ascii")
        request.version = self._parser.get_http_version()
        request.keep_alive = self._parser.should_keep_alive()
        if request.head_bytes > self._web.limits.head_bytes:
            raise Refused(431, HEAD_TOO_LARGE)
        request.check()
        self._allow_body(request)
        if request.named(b"expect") and request.version != "1.0":
            self._line.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, piece: bytes) -> None:
        request, limits = self._at_hand, self._web.limits
        if request.received + len(piece) > (limits.upload_bytes if request.is_upload else limits.body_bytes):
            raise Refused(413, TOO_LARGE)
        try:
            request.add(piece)
        except OSError as error:
            raise Refused(507, NO_ROOM) from error

    def on_message_complete(self) -> None:
        request = self._at_hand
        self._end_upload()
        if self._web.engine.waiting >= self._web.limits.waiting:
            raise Refused(503, "Too many requests are waiting. Try again in a moment.")
        try:
            environ = request.environ(peer=self.peer, server=self._web.address, scheme=self._web.scheme)
        except OSError as error:
            raise Refused(507, NO_ROOM) from error
        self.is_waiting = False
        self.deadline = float("inf")
        answer = Answer(self._web.application, request, self)
        self._web.engine.submit(lambda: answer.run(environ), str(environ.get("HTTP_HOST", "")).lower())

    @property
    def _at_hand(self) -> Request:
        assert self._request is not None
        return self._request

    def _act(self, _events: int) -> None:
        """The socket can be read or written."""
        try:
            if self._line.has_unsent:
                self._send_rest()
            else:
                self._read()
        except OSError:
            self.close()

    def _read(self) -> None:
        data = self._line.read()
        while data:
            if self._is_over:
                self._thrown_away += len(data)
            else:
                self._feed(data)
            data = self._line.read() if self._line.may_hold_more else None
        if data == b"" or self._thrown_away > LINGER_BYTES:
            self.close()
        elif self.is_waiting:
            self._web.engine.rearm(self._line.file, READ)

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
            self._check_head_size(len(data))
            self._check_chunks(len(data))
        except Refused as refused:
            self._refuse(refused)
        except httptools.HttpParserCallbackError as error:
            self._stop_reading(error.__context__)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._stop_reading(None)

    def _stop_reading(self, error: BaseException | None) -> None:
        """What comes now is no request that we take: refused at once, or after the answer that is being made."""
        if error is not None and not isinstance(error, Refused | _OneAtATime):
            logger.error("request_not_read", exc_info=error)
        if self.is_waiting:
            self._refuse(error if isinstance(error, Refused) else Refused(400, UNREADABLE))
        self._closes_after_answer = True

    def _check_head_size(self, length: int) -> None:
        if self._request is None or not self._request.method:
            self._head_bytes += length
            if self._head_bytes > self._web.limits.head_bytes:
                raise Refused(431, HEAD_TOO_LARGE)

    def _check_chunks(self, length: int) -> None:
        if self._request is not None and self.is_waiting and self._request.is_chunked:
            self._request.add_framed(length, beside=2 * self._web.limits.head_bytes)

    def _allow_body(self, request: Request) -> None:
        limits, length = self._web.limits, request.length
        self._head_bytes = 0
        if not length and not request.is_chunked:
            return
        request.is_upload = bool(UPLOADS.fullmatch(request.path)) and (length is None or length > limits.body_bytes)
        if (length or 0) > (limits.upload_bytes if request.is_upload else limits.body_bytes):
            raise Refused(413, TOO_LARGE)
        seconds = limits.body_seconds
        if request.is_upload:
            seconds = limits.seconds_for_upload(length)
            self._begin_upload(self._web.client_of(self.peer, request))
        self.deadline = time.monotonic() + seconds

    def _begin_upload(self, address: str) -> None:
        if not self._web.admission.begin_upload(address):
            raise Refused(503, "Several large files are being sent already. Try again when they have arrived.")
        self._uploads_for = address

    def _end_upload(self) -> None:
        if self._uploads_for:
            self._web.admission.end_upload(self._uploads_for)
            self._uploads_for = ""

    def _finished(self, *, keep_alive: bool) -> None:
        """The application has answered; some of the answer may still have to leave."""
        self._request = None
        self.is_waiting = True
        self._closes_after_answer = self._closes_after_answer or not keep_alive or self._web.is_ending
        try:
            self._send_rest()
        except OSError:
            self.close()

    def _send_rest(self) -> None:
        limits = self._web.limits
        if self._line.has_unsent and self._line.write():
            self.deadline = time.monotonic() + limits.send_seconds
        if self._line.has_unsent:
            self.deadline = min(self.deadline, time.monotonic() + limits.send_seconds)
            self._web.engine.rearm(self._line.file, WRITE)
        elif self._is_over:
            self._line.end()
            self._web.engine.rearm(self._line.file, READ)
        elif self._closes_after_answer:
            self._linger()
        else:
            self.deadline = time.monotonic() + limits.idle_seconds
            self._web.engine.rearm(self._line.file, READ)

    def _refuse(self, refused: Refused) -> None:
        self._end_upload()
        self._is_over = True
        self.deadline = time.monotonic() + LINGER_SECONDS
        self._line.write(refusal(refused.status, refused.sentence))
        self._line.end()

    def _linger(self) -> None:
        """Read on for a moment: who is still sending would otherwise see a reset and not the answer."""
        self._is_over = True
        self._line.end()
        self.deadline = time.monotonic() + LINGER_SECONDS
        self._web.engine.rearm(self._line.file, READ)
