"""One request as it is read: its head, its body, and what both become for the application (PEP 3333)."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from urllib.parse import unquote_to_bytes

# Larger bodies wait on disk: two hundred that are never finished must not fill the memory.
IN_MEMORY = 64 * 1024
# A chunk of a single byte comes in six.
FRAMED_PER_BYTE = 8
TOO_LARGE = "The request is too large."
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OPEN_TARGET = re.compile(rb"/[^\x00-\x20\x7f#]*|\*")
_JOINED_BY = {"HTTP_COOKIE": "; "}


class Refused(Exception):
    """A request that is answered by the server itself: a status and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(status, sentence)
        self.status = status
        self.sentence = sentence


@dataclass
class Request:
    """What was read so far. `length` is what the head says, None when the body comes in chunks or there is none.

    `framed` counts what came of a request in chunks, with all that frames them.
    """

    target: bytearray = field(default_factory=bytearray)
    method: str = ""
    version: str = "1.1"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    keep_alive: bool = True
    is_upload: bool = False
    body: SpooledTemporaryFile[bytes] | None = None
    received: int = 0
    framed: int = 0

    def named(self, name: bytes) -> list[bytes]:
        """The values of a header, by its name in lower case."""
        return [value for key, value in self.headers if key == name]

    @property
    def length(self) -> int | None:
        (length,) = self.named(b"content-length") or [b""]
        return int(length) if length else None

    @property
    def head_bytes(self) -> int:
        return len(self.target) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    @property
    def is_chunked(self) -> bool:
        return bool(self.named(b"transfer-encoding"))

    @property
    def path(self) -> str:
        return unquote_to_bytes(bytes(self.target.partition(b"?")[0])).decode("latin-1")

    def check(self) -> None:
        """Refuse a head that could be understood in two ways (RFC 9112 3.2, 5.1, 6.3)."""
        if not _OPEN_TARGET.fullmatch(self.target):
            raise Refused(400, "The address of the request can't be read.")
        if len(self.named(b"host")) != 1 and self.version != "1.0":
            raise Refused(400, "The request must name exactly one host.")
        if len(self.named(b"content-length")) > 1 or (self.is_chunked and self.named(b"content-length")):
            raise Refused(400, "The request says its length twice.")
        if self.is_chunked and (self.named(b"transfer-encoding") != [b"chunked"] or self.version == "1.0"):
            raise Refused(501, "The body's transfer coding is not known here.")
        if not all(_TOKEN.fullmatch(name) for name, _ in self.headers):
            raise Refused(400, "The name of a header can't be read.")

    def add(self, piece: bytes) -> None:
        """Keep a piece of the body, on disk once it is large. Raises OSError when the disk is full."""
        if self.body is None:
            self.body = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - lives as long as the request
        self.body.write(piece)
        self.received += len(piece)

    def add_framed(self, length: int, *, beside: int) -> None:
        """Count what came of a body in chunks: its frames, extensions and trailers among them, have a measure too."""
        self.framed += length
        if self.framed > beside + FRAMED_PER_BYTE * self.received:
            raise Refused(413, TOO_LARGE)

    def environ(self, *, peer: str, server: tuple[str, int], scheme: str) -> dict[str, object]:
        """The request for the application, which finds its body whole. Raises OSError as `add` does."""
        if self.body is None:
            self.body = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        self.body.seek(0)
        environ: dict[str, object] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": bytes(self.target.partition(b"?")[2]).decode("latin-1"),
            "SERVER_NAME": server[0],
            "SERVER_PORT": str(server[1]),
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
            "REMOTE_ADDR": peer,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scheme,
            "wsgi.input": self.body,
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for name, value in self.headers:
            _add_header(environ, name, value.decode("latin-1"))
        if self.received:
            environ["CONTENT_LENGTH"] = str(self.received)
        return environ

    def close(self) -> None:
        if self.body is not None:
            with suppress(OSError):  # the disk has no space for the last bytes, and they are not wanted any more
                self.body.close()


def _add_header(environ: dict[str, object], name: bytes, value: str) -> None:
    # To the application X_Forwarded_For is the same as X-Forwarded-For, so no name with an underscore gets through.
    if b"_" in name:
        return
    key = name.decode("ascii").upper().replace("-", "_")
    if key == "TRANSFER_ENCODING":  # what was read is a body of a known length
        return
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = f"HTTP_{key}"
    before = environ.get(key)
    environ[key] = value if before is None else f"{before}{_JOINED_BY.get(key, ',')}{value}"
