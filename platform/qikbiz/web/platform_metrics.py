"""Figures of the whole installation for Prometheus, read at each scrape: jobs, mails, sweeper, workers, servers.

No label names a person or a tenant. What can't be asked is left out, and its server is shown as down.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from rq import Worker

from qikbiz.jobs import transport
from qikbiz.kernel.database import runtime
from qikbiz.kernel.job_kinds import QUEUES
from qikbiz.web.readiness import control_answers, tenants_answer
from tenants.cells import pool_size
from tenants.redis import RedisAway

SWEEPER = "sweeper"
_STATES = {"pending": "waiting", "quarantined": "quarantined"}


def platform_registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_PlatformCollector())
    return registry


class _PlatformCollector(Collector):
    def describe(self) -> Iterable[GaugeMetricFamily]:
        return ()  # registering must not ask any server

    def collect(self) -> Iterator[GaugeMetricFamily]:
        swept, is_redis_up = _swept()
        yield _servers(is_redis_up=is_redis_up)
        yield from _of_sweeper(swept)
        if is_redis_up:
            yield from _of_queues()
        yield _pools()


def _servers(*, is_redis_up: bool) -> GaugeMetricFamily:
    up = GaugeMetricFamily("qikbiz_server_up", "Whether a server answers.", labels=["server"])
    for name, answers in (("control", control_answers()), ("tenants", tenants_answer()), ("redis", is_redis_up)):
        up.add_metric([name], float(answers))
    return up


def _swept() -> tuple[dict[str, str], bool]:
    try:
        with runtime().redis.client() as client:
            return client.hgetall(runtime().redis.platform_key(SWEEPER)), True  # type: ignore[return-value]  # sync
    except RedisAway:
        return {}, False


def _of_sweeper(swept: dict[str, str]) -> Iterator[GaugeMetricFamily]:
    if "at" in swept:
        age = GaugeMetricFamily("qikbiz_sweeper_age_seconds", "Since the sweeper's last round ended.")
        age.add_metric([], max(0.0, time.time() - float(swept["at"])))
        yield age
    figures: dict[str, Any] = json.loads(swept.get("figures") or "{}")
    jobs = GaugeMetricFamily("qikbiz_jobs", "Jobs of all ledgers that are not done.", labels=["kind", "state"])
    for kind, state, count in figures.get("jobs", ()):
        jobs.add_metric([kind, _STATES.get(state, state)], count)
    yield jobs
    oldest = GaugeMetricFamily("qikbiz_jobs_oldest_seconds", "How long the oldest waiting job waits.", labels=["kind"])
    for kind, moment in figures.get("oldest", {}).items():
        oldest.add_metric([kind], max(0.0, time.time() - moment))
    yield oldest
    mails = GaugeMetricFamily("qikbiz_mails", "Emails by state.", labels=["state"])
    for state, count in figures.get("mails", {}).items():
        mails.add_metric([state], count)
    yield mails
    if figures.get("oldest_mail"):
        waits = GaugeMetricFamily("qikbiz_mails_oldest_seconds", "Waiting time of the oldest unsent email.")
        waits.add_metric([], max(0.0, time.time() - figures["oldest_mail"]))
        yield waits


def _of_queues() -> Iterator[GaugeMetricFamily]:
    length = GaugeMetricFamily("qikbiz_queue_length", "Jobs announced to the workers of a queue.", labels=["queue"])
    workers = GaugeMetricFamily("qikbiz_workers", "Workers of a queue.", labels=["queue"])
    try:
        with transport.queue_store().client() as client:
            for name in QUEUES:
                queue = transport.queue_named(name, client)
                length.add_metric([name], queue.count)
                workers.add_metric([name], len(Worker.all(queue=queue)))
    except RedisAway:
        return
    yield length
    yield workers


def _pools() -> GaugeMetricFamily:
    pools = GaugeMetricFamily(
        "qikbiz_database_pool_size", "Connections that this process may hold, by pool.", labels=["database"]
    )
    pools.add_metric(["control"], pool_size(runtime().control))
    pools.add_metric(["tenants"], runtime().cells.most())
    return pools
