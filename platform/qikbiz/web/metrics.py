"""What is counted for Prometheus: requests and their time, logins, connections. No label names a person or tenant."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
from flask import Flask, Response, g, request
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from qikbiz.kernel.database import runtime
from qikbiz.web.request_context import destination
from tenants.cells import connections_in_use

REQUESTS = Counter("qikbiz_requests_total", "Requests answered.", ["surface", "route", "method", "status"])
SECONDS = Histogram(
    "qikbiz_request_seconds",
    "Time from the first byte read to the response made.",
    ["surface", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
LOGINS = Counter("qikbiz_logins_total", "Sign-in attempts.", ["realm", "outcome"])
CONNECTIONS = Gauge(
    "qikbiz_database_connections_in_use", "Connections in use.", ["database"], multiprocess_mode="livesum"
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def register(app: Flask) -> None:
    app.after_request(_count)


def count_login(realm: str, outcome: str) -> None:
    LOGINS.labels(realm, outcome).inc()


def registry_of_all_processes() -> CollectorRegistry:
    """The figures of every web process, where they share a folder (config/web_server); else those of this one."""
    if values.ValueClass is values.MutexValue:
        return REGISTRY
    registry = CollectorRegistry()
    _delete_of_ended_processes(runtime().settings.home / "figures")
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it has no types
    return registry


def _delete_of_ended_processes(folder: Path) -> None:
    # What is in use now is added up over living processes only; the counts of ended ones stay.
    for file in folder.glob("gauge_live*.db"):
        number = int(file.stem.rpartition("_")[2])
        if not psutil.pid_exists(number):
            mark_process_dead(number, str(folder))  # type: ignore[no-untyped-call]  # it has no types


def _count(response: Response) -> Response:
    # The rule and not the path: paths hold ids, and anyone can invent any number of them.
    route = str(request.url_rule) if request.url_rule else "none"
    surface = destination().surface
    method = request.method if request.method in _METHODS else "other"
    REQUESTS.labels(surface, route, method, str(response.status_code)).inc()
    if "started" in g:
        SECONDS.labels(surface, route).observe(time.perf_counter() - g.started)
    CONNECTIONS.labels("control").set(connections_in_use(runtime().control))
    CONNECTIONS.labels("tenants").set(runtime().cells.in_use())
    return response
