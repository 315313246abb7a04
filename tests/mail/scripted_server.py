"""A mail server that is slow, refuses or goes away at exactly the point that a test names."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

ANSWERS = {
    "CONNECT": b"220 here",
    "EHLO": b"250 here",
    "MAIL": b"250 OK",
    "RCPT": b"250 OK",
    "DATA": b"354 Go on",
    "MESSAGE": b"250 Taken",
}


@dataclass
class ScriptedServer:
    """`answers` takes the place of the usual ones. At `slow` it waits `seconds` before it answers, `dripping` sends
    that answer byte by byte, and `drops` goes away instead; "CONTENT" is in the middle of the message."""

    port: int = 0
    answers: dict[str, bytes] = field(default_factory=dict)
    slow: str = ""
    seconds: float = 0.0
    dripping: str = ""
    drops: str = ""
    accepted: list[bytes] = field(default_factory=list)
    connections: int = 0

    def reset(self) -> None:
        self.answers, self.slow, self.dripping, self.drops = {}, "", "", ""

    def talk(self, peer: socket.socket) -> None:
        self.connections += 1
        with suppress(OSError, EOFError), peer:
            lines = peer.makefile("rb")
            self._answer(peer, "CONNECT")
            while line := lines.readline():
                command = line[:4].upper().decode()
                self._answer(peer, command if command in ANSWERS else "EHLO")
                if command == "DATA" and self._said("DATA").startswith(b"3"):
                    self._take(peer, lines)

    def _take(self, peer: socket.socket, lines: Iterator[bytes]) -> None:
        content = b""
        for line in lines:
            if self.drops == "CONTENT":
                raise EOFError
            if line == b".\r\n":
                break
            content += line
        else:
            raise EOFError
        if self._said("MESSAGE").startswith(b"2"):
            self.accepted.append(content)
        self._answer(peer, "MESSAGE")

    def _answer(self, peer: socket.socket, point: str) -> None:
        if self.drops == point:
            raise EOFError
        if self.slow == point:
            time.sleep(self.seconds)
        answer = self._said(point) + b"\r\n"
        if self.dripping == point:
            for place in range(len(answer)):
                peer.sendall(answer[place : place + 1])
                time.sleep(0.1)
            return
        peer.sendall(answer)

    def _said(self, point: str) -> bytes:
        return self.answers.get(point, ANSWERS[point])


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = ScriptedServer(listening.getsockname()[1])

        def listen() -> None:
            with suppress(OSError):
                while True:
                    peer, _ = listening.accept()
                    threading.Thread(target=server.talk, args=(peer,), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        yield server
        # Closing alone would leave the thread in accept.
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
