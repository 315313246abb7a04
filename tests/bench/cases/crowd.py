"""The same page with few and with many tenants behind one program."""

from __future__ import annotations

from provisioning.create import create_tenant
from tests.bench.http import Browser, Timing, measure
from tests.bench.report import Figure
from tests.bench.stage import Stage, our_web
from tests.bench.tenants import PASSWORD, fill_contacts, tenant_with_user

FEW = 10
ROUNDS = 5


def measure_crowd(played: Stage, *, tenants: int, requests: int) -> list[Figure]:
    """The list page of ten tenants in turn, first when they are alone, then with `tenants` in the directory.

    In the second round a tenth of all tenants is visited, so that caches feel the crowd.
    """
    alone = _timed(played, [_visited(played, number) for number in range(FEW)], requests)
    slugs = [_slug(number) for number in range(FEW)]
    for number in range(FEW, tenants):
        if number % FEW == 0:
            slugs.append(_visited(played, number))
        else:
            create_tenant(played.settings, _slug(number), "Crowd", "admin@example.com")
    with played.superuser("qikbiz_tenants") as connection:
        # What autovacuum does in the minutes after a thousand tenants were made; it would run beside the second round.
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")
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


def _slug(number: int) -> str:
    return f"crowd{number + 100}x"


def _visited(played: Stage, number: int) -> str:
    """A tenant with a user and a thousand contacts."""
    tenant_with_user(played, _slug(number))
    fill_contacts(played, _slug(number), 1000)
    return _slug(number)


def _timed(played: Stage, slugs: list[str], requests: int) -> Timing:
    """The middle one of five rounds, after a warming-up."""
    with our_web(played) as port:
        visits = []
        for slug in slugs:
            browser = Browser(port, f"{slug}.localhost")
            browser.log_in("/login", {"email": "alice@example.com", "password": PASSWORD}, csrf="csrf_token")
            visits.append((browser, "/contacts"))
        measure(visits, requests=max(requests // 2, 40), at_once=2)
        rounds = [measure(visits, requests=requests, at_once=2) for _ in range(ROUNDS)]
        return sorted(rounds, key=lambda timing: timing.median)[ROUNDS // 2]
