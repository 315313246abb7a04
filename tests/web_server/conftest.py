"""A web server with a small application, and a client that sends exactly the given bytes."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@dataclass
class Server:
    port: int
    process: subprocess.Popen[str]
    _open: list[socket.socket] = field(default_factory=list)

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        """A connection that stays open until the test ends, also when it fails."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=20, source_address=(source, 0))
        self._open.append(made)
        return made

    def begin(self, text: str, source: str = "127.0.0.1") -> socket.socket:
        """A connection over which this was sent; \\n stands for a line's end."""
        made = self.connect(source)
        made.sendall(text.replace("\n", "\r\n").encode())
        return made

    def ask(self, text: str, body: bytes = b"", source: str = "127.0.0.1") -> Reply:
        """Say this, and read what comes back until the server closes; ask for `Connection: close`."""
        made = self.begin(text, source)
        with suppress(ConnectionError):
            made.sendall(body)
        return reply_of(made)

    def get(self, path: str, source: str = "127.0.0.1") -> Reply:
        return self.ask(f"GET {path} HTTP/1.1\nHost: a\nConnection: close\n\n", source=source)

    def close(self) -> None:
        for each in self._open:
            each.close()
        self.process.terminate()
        self.process.wait(20)


@dataclass(frozen=True)
class Reply:
    raw: bytes

    @property
    def status(self) -> int:
        """0 when nothing was answered."""
        return int(self.raw.split(b" ", 2)[1]) if self.raw else 0

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def told(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


def reply_of(made: socket.socket) -> Reply:
    received = bytearray()
    with suppress(ConnectionError):
        while piece := made.recv(2**18):
            received += piece
    return Reply(bytes(received))


StartServer = Callable[..., Server]


@pytest.fixture(scope="module")
def start_server() -> Iterator[StartServer]:
    """A function that starts one with these limits."""
    started: list[Server] = []

    def start(**limits: Any) -> Server:
        command = [sys.executable, "-m", "tests.web_server.small_application", json.dumps(limits)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        started.append(Server(int(process.stdout.readline()), process))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> Server:
    return start_server()
