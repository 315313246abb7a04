"""Redis for sessions, limits and signals: short time-outs, a breaker, and one builder of keys.

Redis is never the truth here. Each caller decides what happens when it is away.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

_REST_SECONDS = 1.0


class RedisAway(Exception):
    """Redis can't be asked now: it is down, too slow, full, or was a moment ago."""


class RedisStore:
    """The connection of one process. Made again after a fork.

    After a failure nothing is sent for a second, so that a slow Redis does not pile up threads.
    """

    def __init__(self, url: str, *, prefix: str, timeout_seconds: float = 0.5, decode: bool = True) -> None:
        self._url = url
        self._decode = decode
        self._prefix = prefix
        self._timeout = timeout_seconds
        self._client: redis.Redis | None = None
        self._process = 0
        self._rest_until = 0.0
        self.away_since: float | None = None
        self.back_at: float = 0.0
        self._run_id = ""

    @contextmanager
    def client(self) -> Iterator[redis.Redis]:
        """The client, for one exchange. Raises RedisAway instead of redis-py's connection errors."""
        if time.monotonic() < self._rest_until:
            raise RedisAway
        try:
            yield self._connected()
        except (
            redis.ConnectionError,
            redis.TimeoutError,
            redis.exceptions.OutOfMemoryError,
            redis.ReadOnlyError,
            OSError,
        ) as error:
            self._rest_until = time.monotonic() + _REST_SECONDS
            self.away_since = self.away_since or time.time()
            raise RedisAway from error
        if self.away_since is not None:
            self.away_since, self.back_at = None, time.time()

    def tenant_key(self, tenant: UUID, *parts: str) -> str:
        """The only way to name a key that belongs to a tenant."""
        return ":".join((self._prefix, "t", tenant.hex, *parts))

    def platform_key(self, *parts: str) -> str:
        return ":".join((self._prefix, "p", *parts))

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> redis.Redis:
        if self._client is None or self._process != os.getpid():
            self._client = redis.Redis.from_url(
                self._url,
                socket_timeout=self._timeout,
                socket_connect_timeout=self._timeout,
                decode_responses=self._decode,
                # Bytes that are no text were not written by us: the reader finds them unusable, and raises nothing.
                encoding_errors="replace",
                redis_connect_func=self._greet,
                driver_info=None,  # sending Redis the library's version costs two round trips
                # One more try at once, for a pooled connection that died; waiting would hold a web thread.
                retry=Retry(NoBackoff(), 1),
            )
            self._process = os.getpid()
        return self._client

    def _greet(self, connection: Any) -> None:
        # A server that was restarted may have come back with yesterday's data, and an idle process saw no
        # failure meanwhile. So the code that caches here compares the age of its copies with `back_at`.
        connection.on_connect()
        try:
            connection.send_command("INFO", "server")
            run_id = _run_id(connection.read_response())
        except redis.ResponseError:
            run_id = ""  # not allowed to ask: then each new connection may be to another server
        if not run_id or run_id != self._run_id:
            self._run_id, self.back_at = run_id, time.time()


def _run_id(info: str | bytes) -> str:
    text = info.decode("utf-8", "replace") if isinstance(info, bytes) else str(info)
    return next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("run_id:")), "")
