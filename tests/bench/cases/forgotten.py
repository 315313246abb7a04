"""Whether the time of an answer shows who has an account: known and unknown names at the forgotten password's form.

The figure is the area under the ROC curve (AUC): 0.5 is chance, 1 or 0 is certainty.
"""

from __future__ import annotations

import random
import re
import socket
import time

from tests.bench.http import Browser
from tests.bench.report import Figure
from tests.bench.stage import Stage, our_web
from tests.bench.tenants import tenant_with_user

KNOWN, UNKNOWN = "alice@example.com", "nadia@example.com"
# Fewer than one address may ask for in an hour; the next client then uses the next address of this machine.
ASKED_BY_ONE = 15
TELLS_NOTHING = 0.1


class Visitor(Browser):
    """A browser with an address of its own in 127.0.0.0/8."""

    address = "127.0.0.1"

    def connection(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(
                ("127.0.0.1", self.port), timeout=30, source_address=(self.address, 0)
            )
            self._buffer = b""
        return self._socket


def measure_forgotten(played: Stage, *, each: int) -> list[Figure]:
    tenant_with_user(played, "forgetful")
    with our_web(played) as port:
        # Not counted: the first requests fill the caches.
        _timed(port, 10, start=250)
        seconds = _timed(port, each)
    area = auc(seconds[KNOWN], seconds[UNKNOWN])
    notes = {name: sorted(values)[len(values) // 2] * 1000 for name, values in seconds.items()}
    goal, reached = f"0.5 ± {TELLS_NOTHING}", abs(area - 0.5) <= TELLS_NOTHING
    return [
        Figure("forgotten password: who has a login, by time", "AUC", area, goal=goal, reached=reached, notes=notes)
    ]


def auc(ones: list[float], others: list[float]) -> float:
    """How often one of `ones` is larger than one of `others`; ties count half."""
    larger = sum((one > other) + (one == other) / 2 for one in ones for other in others)
    return larger / (len(ones) * len(others))


def _timed(port: int, each: int, *, start: int = 1) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
    order = [KNOWN, UNKNOWN] * each
    random.shuffle(order)
    for number, name in enumerate(order):
        if number % ASKED_BY_ONE == 0:
            visitor = Visitor(port, "forgetful.localhost")
            visitor.address = f"127.0.{start + number // ASKED_BY_ONE}.1"
            token = _token(visitor)
        began = time.perf_counter()
        status, _ = visitor.post("/forgot", {"email": name, "csrf_token": token})
        seconds[name].append(time.perf_counter() - began)
        if status != 200:
            raise RuntimeError(f"The forgotten password's form answered {status}.")
    return seconds


def _token(visitor: Visitor) -> str:
    _, page = visitor.get("/forgot")
    found = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', page)
    if found is None:
        raise RuntimeError("The forgotten password's form has no token.")
    return found[1].decode()
