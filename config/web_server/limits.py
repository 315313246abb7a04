"""What one web process grants to its clients."""

from __future__ import annotations

import re
from dataclasses import dataclass

MIB = 2**20
# The pages that take a file for an import; the proxies' files in config/ name the same ones.
UPLOADS = re.compile(r"/(imports/|tenants/[a-z0-9-]+/support/imports)")


@dataclass(frozen=True)
class Limits:
    """Bytes, seconds and counts.

    A request's head has `head_seconds` to come, its body `body_seconds`. A body above `body_bytes` is an upload:
    only some pages take one, it gets time by its length, and at most `uploads` of them are read at once,
    `uploads_of_one` from one address. `connections_of_one` does not count for our own proxies.
    """

    head_bytes: int = 64 * 1024
    head_seconds: float = 10.0
    # Longer than nginx (60 s) and Caddy (120 s) keep a resting connection to us: who closes must be the one that asks.
    idle_seconds: float = 150.0
    body_bytes: int = 3 * MIB
    body_seconds: float = 30.0
    upload_bytes: int = 512 * MIB
    upload_bytes_per_second: int = 64 * 1024
    upload_seconds: float = 600.0
    uploads: int = 8
    uploads_of_one: int = 2
    connections: int = 2000
    connections_of_one: int = 100
    # Requests that are read and wait for a thread.
    waiting: int = 500
    # An answer of which nothing was taken for so long is given up.
    send_seconds: float = 60.0
    streams: int = 50

    def seconds_for_upload(self, length: int | None) -> float:
        """How long an upload of `length` bytes may take; unknown lengths get the most."""
        wanted = self.upload_seconds if length is None else self.body_seconds + length / self.upload_bytes_per_second
        return min(wanted, self.upload_seconds)
