"""A small load generator on raw keep-alive sockets: bounded in number and time, to loopback only."""

from __future__ import annotations

import re
import selectors
import socket
import statistics
import time
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlencode

LONGEST_SECONDS = 120.0
CONNECTIONS = 8


@dataclass(frozen=True)
class Timing:
    """Of all answered requests: rate in requests a second, median and 95th percentile in milliseconds."""

    rate: float
    median: float
    p95: float
    size: int


@dataclass
class Browser:
    """One client of one host: keeps cookies and ignores their attributes."""

    port: int
    host: str
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._socket: socket.socket | None = None
        self._buffer = b""

    def get(self, path: str) -> tuple[int, bytes]:
        return self._exchange("GET", path, b"")

    def post(self, path: str, form: dict[str, str]) -> tuple[int, bytes]:
        return self._exchange("POST", path, urlencode(form).encode())

    def log_in(self, path: str, fields: dict[str, str], *, csrf: str) -> None:
        """Fetch the form, fill it in with `fields`, send it. Raises RuntimeError when the answer is no redirect."""
        _, page = self.get(path)
        token = re.search(rb'name="%s"[^>]*value="([^"]+)"' % csrf.encode(), page)
        if token is None:
            raise RuntimeError(f"No {csrf} in the login form of {self.host}.")
        status, body = self.post(path, {**fields, csrf: token.group(1).decode()})
        if status not in (302, 303):
            raise RuntimeError(f"Login at {self.host} answered {status}: {body[:300]!r}")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        try:
            return self._once(method, path, body)
        except (ConnectionError, OSError):
            self.close()
            return self._once(method, path, body)

    def _once(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        self.connection().sendall(self.request(method, path, body))
        head, rest = self._read_head()
        status = int(head[0].split(b" ", 2)[1])
        headers = [line.partition(b":")[::2] for line in head[1:]]
        values = {name.strip().lower(): value.strip() for name, value in headers}
        for name, value in headers:
            if name.strip().lower() == b"set-cookie":
                key, _, text = value.strip().partition(b";")[0].partition(b"=")
                self.cookies[key.decode()] = text.decode()
        content = self._read_body(rest, values)
        if values.get(b"connection", b"").lower() == b"close":
            self.close()
        return status, content

    def connection(self) -> socket.socket:
        """The open connection, or a new one."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
            self._buffer = b""
        return self._socket

    def request(self, method: str, path: str, body: bytes) -> bytes:
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            "User-Agent: bench",
            "Accept: text/html",
        ]
        lines.append(f"Origin: http://{self.host}:{self.port}")
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if body:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def _read_head(self) -> tuple[list[bytes], bytes]:
        data = self._buffer
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, rest = data.partition(b"\r\n\r\n")
        return head.split(b"\r\n"), rest

    def _read_body(self, data: bytes, headers: dict[bytes, bytes]) -> bytes:
        if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            return self._read_chunks(data)
        length = int(headers.get(b"content-length", b"0"))
        while len(data) < length:
            data += self._receive()
        self._buffer = data[length:]
        return data[:length]

    def _read_chunks(self, data: bytes) -> bytes:
        content = b""
        while True:
            while b"\r\n" not in data:
                data += self._receive()
            line, _, data = data.partition(b"\r\n")
            size = int(line.split(b";")[0], 16)
            while len(data) < size + 2:
                data += self._receive()
            content, data = content + data[:size], data[size + 2 :]
            if size == 0:
                self._buffer = data
                return content

    def _receive(self) -> bytes:
        assert self._socket is not None
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionError("The server closed the connection.")
        return received


@dataclass
class _Line:
    """One connection of a client: sends its one request on a call, and gathers the answer."""

    browser: Browser
    path: str
    began: float = 0.0
    answer: bytearray = field(default_factory=bytearray)
    expected: int | None = None

    def __post_init__(self) -> None:
        self.request = self.browser.request("GET", self.path, b"")
        self.socket = self.browser.connection()

    def ask(self) -> None:
        self.answer.clear()
        self.expected = None
        self.began = time.perf_counter()
        self.socket.sendall(self.request)

    def has_answer(self) -> bool:
        """Read what is there. True when the answer is whole. Raises RuntimeError unless it is a 200."""
        received = self.socket.recv(262_144)
        self.answer += received
        if not received:
            raise RuntimeError(f"{self.browser.host}{self.path}: the server closed the connection.")
        if self.expected is None:
            end = self.answer.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = bytes(self.answer[:end])
            if b" 200 " not in head[:16]:
                raise RuntimeError(f"{self.browser.host}{self.path} answered {head[:200]!r}")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if length is None:
                raise RuntimeError(f"{self.browser.host}{self.path} answered without a length.")
            self.expected = end + 4 + int(length[1])
        return len(self.answer) >= self.expected


def measure(visits: list[tuple[Browser, str]], *, requests: int, at_once: int) -> Timing:
    """Repeat the requests, `requests` in all, `at_once` at a time. Raises RuntimeError unless 200.

    Each of the `at_once` has CONNECTIONS open and takes them in turn, as a proxy in front does: the kernel hands whole
    connections to the worker processes, and a few of them would by chance all go to one. One thread asks, so that as
    little as possible of the machine goes into asking.
    """
    took: list[float] = []
    sizes: list[int] = []
    lanes = [_lines(visits[number::at_once] or visits) for number in range(at_once)]
    ends_at = time.monotonic() + LONGEST_SECONDS
    with selectors.DefaultSelector() as waiting:
        began = time.perf_counter()
        for lane in lanes:
            _ask_next(lane, waiting)
        while len(took) < requests and time.monotonic() < ends_at:
            for key, _ in waiting.select(30):
                line, lane = key.data
                if line.has_answer():
                    took.append((time.perf_counter() - line.began) * 1000)
                    sizes.append(line.expected or 0)
                    waiting.unregister(line.socket)
                    _ask_next(lane, waiting)
        seconds = time.perf_counter() - began
    for lane in lanes:
        for line in lane:
            line.browser.close()
    took.sort()
    return Timing(
        len(took) / seconds, statistics.median(took), took[int(len(took) * 0.95)], int(statistics.mean(sizes))
    )


def _lines(visits: list[tuple[Browser, str]]) -> deque[_Line]:
    repeated = visits * max(1, CONNECTIONS // len(visits))
    return deque(_Line(Browser(b.port, b.host, dict(b.cookies)), path) for b, path in repeated)


def _ask_next(lane: deque[_Line], waiting: selectors.BaseSelector) -> None:
    line = lane[0]
    lane.rotate(-1)
    line.ask()
    waiting.register(line.socket, selectors.EVENT_READ, (line, lane))
