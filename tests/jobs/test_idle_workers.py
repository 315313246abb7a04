"""A worker without work says that it lives, as often as it means to, and takes a job the moment there is one."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import redis

from config.settings import Settings
from provisioning.embedded.processes import wait_until
from workers.worker import WORKER_TTL, make_worker

# redis-py gives up on an answer after 5 s by default; this is more, as the real 30 s are.
SECONDS_OF_WAITING = 6


def alone(settings: Settings) -> Settings:
    """A database of Redis in which no other test leaves jobs."""
    return replace(settings, redis_url=settings.redis_url.replace("db=0", "db=9"))


def test_an_idle_worker_waits_as_long_as_it_means_to_and_then_says_that_it_lives(settings: Settings) -> None:
    worker = make_worker(alone(settings), ["checks"], ttl=SECONDS_OF_WAITING + 15)
    beats: list[float] = []
    worker.heartbeat = lambda *_a, **_n: beats.append(time.monotonic())  # type: ignore[method-assign]
    waiting = threading.Thread(
        target=worker.dequeue_job_and_maintain_ttl,
        kwargs={"timeout": worker.dequeue_timeout, "max_idle_time": SECONDS_OF_WAITING + 1},
        daemon=True,
    )
    waiting.start()
    assert wait_until(lambda: len(beats) >= 2, seconds=SECONDS_OF_WAITING + 4)
    assert beats[1] - beats[0] >= SECONDS_OF_WAITING - 0.5


def test_every_connection_of_a_worker_waits_longer_than_it_does_also_one_that_was_used_before(
    settings: Settings,
) -> None:
    worker = make_worker(alone(settings), ["checks"])
    taken = worker.connection.connection_pool.get_connection()
    assert taken.socket_timeout > worker.dequeue_timeout
    # Its registration outlives three of its waits, so that one that is late does not end it.
    assert worker.dequeue_timeout * 3 < WORKER_TTL + 60
    worker.register_birth()  # type: ignore[no-untyped-call]
    with redis.Redis.from_url(alone(settings).redis_url) as client:
        assert client.ttl(worker.key) > worker.dequeue_timeout * 3
