"""A server outside that fails rests for a while, for all processes, instead of being tried by each caller in turn."""

from __future__ import annotations

import hashlib

from redis import Redis

from qikbiz.kernel.database import runtime
from tenants.redis import RedisAway

SHORTEST_REST_SECONDS, LONGEST_REST_SECONDS = 30, 600
# How long one caller may take to find out whether the server is back; the others wait meanwhile.
TRIAL_SECONDS = 120
TRIAL_WAIT_SECONDS = 15.0
_REMEMBERED_SECONDS = 3600


class CircuitBreaker:
    """`server` is any text that names it; it is kept as a hash, since an address may hold a password.

    Without Redis nothing rests: each caller then finds out for itself.
    """

    def __init__(self, server: str, *, shortest_seconds: int = SHORTEST_REST_SECONDS) -> None:
        self._name = hashlib.sha256(server.encode()).hexdigest()[:32]
        self._shortest = shortest_seconds

    def seconds_to_wait(self) -> float:
        """0 when the server may be asked now. After a rest only one caller may, until it has said what it found."""
        try:
            with runtime().redis.client() as client:
                return self._seconds_to_wait(client)
        except RedisAway:
            return 0.0

    def record_failure(self) -> None:
        """Rest: half a minute, one, two … ten minutes."""
        try:
            with runtime().redis.client() as client:
                failures = int(client.incr(self._key("failures")))
                rest = min(self._shortest * 2 ** min(failures - 1, 10), LONGEST_REST_SECONDS)
                client.expire(self._key("failures"), _REMEMBERED_SECONDS)
                client.set(self._key("rest"), "1", ex=rest)
                client.delete(self._key("trial"))
        except RedisAway:
            return

    def record_success(self) -> None:
        try:
            with runtime().redis.client() as client:
                client.delete(self._key("failures"), self._key("rest"), self._key("trial"))
        except RedisAway:
            return

    def _seconds_to_wait(self, client: Redis) -> float:
        rest = int(client.pttl(self._key("rest")))
        if rest > 0:
            return rest / 1000
        if not client.exists(self._key("failures")):
            return 0.0
        is_trial = client.set(self._key("trial"), "1", nx=True, ex=TRIAL_SECONDS)
        return 0.0 if is_trial else TRIAL_WAIT_SECONDS

    def _key(self, part: str) -> str:
        return runtime().redis.platform_key("rest", self._name, part)
