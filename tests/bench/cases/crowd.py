"""The same page with few and with many tenants behind one program."""

from __future__ import annotations

from provisioning.create import create_tenant
from tests.bench.http import Browser, Timing, measure
from tests.bench.report import Figure
from tests.bench.stage import Stage, our_web
from tests.bench.tenants import PASSWORD, fill_contacts, tenant_with_user

FEW = 10


def measure_crowd(played: Stage, *, tenants: int, requests: int) -> list[Figure]:
    """The list page of ten tenants in turn, first when they are alone, then with `tenants` in the directory.

    In the second round the requests go over ten times as many tenants too, so that caches feel the crowd.
    """
    slugs = [f"crowd{number + 100}x" for number in range(FEW)]
    for slug in slugs:
        tenant_with_user(played, slug)
        fill_contacts(played, slug, 1000)
    alone = _timed(played, slugs, requests)
    for number in range(FEW, tenants):
        create_tenant(played.settings, f"crowd{number + 100}x", "Crowd", "admin@example.com")
    among_many = _timed(played, slugs, requests)
    figure = Figure(
        f"list page with {tenants:,} tenants",
        "ms",
        among_many.median,
        alone.median,
        f"with {FEW}",
        "≤ 1.2× its latency",
        notes={"p95_few": alone.p95, "p95_many": among_many.p95},
    )
    figure.reached = among_many.median <= 1.2 * alone.median
    return [figure]


def _timed(played: Stage, slugs: list[str], requests: int) -> Timing:
    with our_web(played) as port:
        visits = []
        for slug in slugs:
            browser = Browser(port, f"{slug}.localhost")
            browser.log_in("/login", {"email": "alice@example.com", "password": PASSWORD}, csrf="csrf_token")
            visits.append((browser, "/contacts"))
        measure(visits, requests=max(requests // 5, 40), at_once=2)
        return measure(visits, requests=requests, at_once=2)
