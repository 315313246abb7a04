"""One web process: connections are taken, watched and ended; requests go to the application."""

from __future__ import annotations

import resource
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from config.web_server.admission import Admission
from config.web_server.board import Place
from config.web_server.connection import Connection
from config.web_server.engine import READ, Engine
from config.web_server.limits import Limits
from config.web_server.line import Line
from config.web_server.requests import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# Another process serves meanwhile.
SECONDS_TO_RETIRE = 120.0
TAKEN_AT_ONCE = 32


class Web:
    """Serves `application` on a socket that listens already, until SIGTERM or until `lifetime` seconds are over.

    `is_proxy` says of a peer's address whether it is one of our own proxies.
    """

    def __init__(
        self,
        application: WSGIApplication,
        limits: Limits,
        *,
        threads: int,
        is_proxy: Callable[[str], bool],
        tls_file: Path | None = None,
        lifetime: float = threading.TIMEOUT_MAX,
        place: Place | None = None,
    ) -> None:
        self.application = application
        self.limits = limits
        self.admission = Admission(limits, is_proxy)
        self.engine = Engine(threads=threads, streams=limits.streams, tick=self._tick, place=place)
        self.scheme = "https" if tls_file else "http"
        self.address = ("", 0)
        self.is_ending = False
        self._is_proxy = is_proxy
        self._tls_file = tls_file
        self._tls = _tls(tls_file)
        self._tls_written = 0
        self._lifetime = lifetime
        self._listener: socket.socket | None = None

    def serve(self, listener: socket.socket, *, seconds_to_end: float) -> None:
        """Returns once the requests that run are answered, or after `seconds_to_end`."""
        _allow_files(self.limits.connections + 200)
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        self._listener = listener
        self.address = listener.getsockname()[:2]
        self.engine.watch(listener.fileno(), READ, self._take)
        self.engine.start()
        self._finish(seconds_to_end if stopping.wait(self._lifetime) else SECONDS_TO_RETIRE)

    def client_of(self, peer: str, request: Request) -> str:
        """Whose uploads are counted: behind one of our proxies, the address that the proxy names."""
        if not self._is_proxy(peer):
            return peer
        forwarded = request.named(b"x-forwarded-for")
        return forwarded[-1].rpartition(b",")[2].strip().decode("latin-1")[:64] if forwarded else peer

    def _take(self, _events: int) -> None:
        assert self._listener is not None
        with suppress(OSError):  # another process was quicker, or there are no files left for now
            for _ in range(TAKEN_AT_ONCE):
                taken, address = self._listener.accept()
                self._welcome(taken, str(address[0]))
        if not self.is_ending:
            self.engine.rearm(self._listener.fileno(), READ)

    def _welcome(self, taken: socket.socket, peer: str) -> None:
        connection = Connection(self, Line(taken, self._tls), peer)
        if self.admission.enter(connection):
            connection.begin()
        else:
            connection.close()

    def _tick(self) -> None:
        now = time.monotonic()
        for connection in self.admission:
            connection.look(now)
        self._take_up_certificate()

    def _take_up_certificate(self) -> None:
        """`qikbiz up --tls` writes the file again for a new tenant; the next handshake uses it."""
        if self._tls is None or self._tls_file is None:
            return
        with suppress(OSError):  # among them: a file that is half written; the next look finds it whole
            written = self._tls_file.stat().st_mtime_ns
            if written != self._tls_written:
                self._tls.load_cert_chain(self._tls_file)
                self._tls_written = written

    def _finish(self, seconds: float) -> None:
        self.is_ending = True
        self.engine.call(self._close_waiting)
        until = time.monotonic() + seconds
        while len(self.admission) and time.monotonic() < until:
            time.sleep(0.02)
        self.engine.stop()

    def _close_waiting(self) -> None:
        assert self._listener is not None
        self.engine.unwatch(self._listener.fileno())
        for connection in self.admission:
            if connection.is_waiting:
                connection.close()


def _tls(file: Path | None) -> ssl.SSLContext | None:
    if file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(file)
    return context


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
