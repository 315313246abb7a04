"""The bytes of one connection: a socket that never blocks, in the clear or under TLS."""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import suppress

AT_ONCE = 64 * 1024
_WAITING = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Line:
    """Raises OSError when the other end is gone."""

    def __init__(self, taken: socket.socket, tls: ssl.SSLContext | None) -> None:
        taken.setblocking(False)
        with suppress(OSError):
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = (
            tls.wrap_socket(taken, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True)
            if tls
            else taken
        )
        self.file = self._socket.fileno()
        self._unsent = bytearray()

    def read(self) -> bytes | None:
        """What has come, b"" at the end, None when there is nothing now."""
        try:
            return self._socket.recv(AT_ONCE)
        except _WAITING:
            return None

    @property
    def may_hold_more(self) -> bool:
        """Whether bytes were taken from the network already that only `read` gives out."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    def write(self, data: bytes = b"") -> int:
        """Send what can be sent now, and keep the rest for the next call. Returns how many bytes left."""
        if not self._unsent:
            left = self._send(data)
            self._unsent += data[left:]
            return left
        self._unsent += data
        left = self._send(self._unsent)
        del self._unsent[:left]
        return left

    def write_all(self, data: bytes, seconds: float) -> bool:
        """Send everything, waiting for the other end. False when it took nothing for so many seconds."""
        self.write(data)
        waiting = select.poll()
        waiting.register(self.file, select.POLLOUT)
        while self._unsent:
            if not waiting.poll(seconds * 1000):
                return False
            self.write()
        return True

    def end(self) -> None:
        """Nothing more will be sent; what the other end still says can be read."""
        if not isinstance(self._socket, ssl.SSLSocket):
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        with suppress(OSError):
            self._socket.close()

    def _send(self, data: bytes | bytearray) -> int:
        sent = 0
        view = memoryview(data)
        try:
            while sent < len(view):
                sent += self._socket.send(view[sent : sent + 4 * AT_ONCE])
        except _WAITING:
            pass
        finally:
            view.release()
        return sent
