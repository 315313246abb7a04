"""A quiet tenant beside a noisy one: its pages, and the start of its one-row import beside a very large one."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.http import Browser, Timing, measure
from tests.bench.report import Figure
from tests.bench.stage import BUILD, Stage, our_web, our_workers
from tests.bench.tenants import PASSWORD, fill_contacts, tenant_with_user

QUIET, NOISY = "quiet", "noisy"
# No user has signed in there, so that free text is enough for an import by command.
LARGE, SMALL = "large", "small"
AT_ONCE = 16


def measure_neighbours(played: Stage, *, requests: int, rows: int) -> list[Figure]:
    for slug in (QUIET, NOISY, LARGE, SMALL):
        tenant_with_user(played, slug)
    for slug in (QUIET, NOISY):
        fill_contacts(played, slug, 1000)
    return [_pages(played, requests), _imports(played, rows)]


def _pages(played: Stage, requests: int) -> Figure:
    with our_web(played) as port:
        quiet = _visitor(port, QUIET)
        _timed(quiet, requests // 2)
        alone = min((_timed(quiet, requests) for _ in range(3)), key=lambda timing: timing.p95)
        with _noise(port):
            beside = min((_timed(quiet, requests) for _ in range(3)), key=lambda timing: timing.p95)
    figure = Figure(
        "quiet tenant's list page beside a noisy one, p95",
        "ms",
        beside.p95,
        alone.p95,
        "alone",
        "≤ 1.5× its p95 alone",
        notes={"median_alone": alone.median, "median_beside": beside.median, "noisy_at_once": AT_ONCE},
    )
    figure.reached = beside.p95 <= 1.5 * alone.p95
    return figure


def _imports(played: Stage, rows: int) -> Figure:
    """From asking for the check of a one-row file to its start, while the check of a very large file is being done."""
    large, small = BUILD / "large.csv", BUILD / "small.csv"
    with large.open("w", encoding="utf-8") as file:
        file.write("First name,Last name,Email\n")
        file.writelines(f"Ada,Person {n},new{n}@example.com\n" for n in range(rows))
    small.write_text("First name,Last name,Email\nOne,Row,one@example.com\n", encoding="utf-8")
    with our_workers(played, "imports"):
        context = multiprocessing.get_context("fork")
        long = context.Process(target=_import, args=(played, LARGE, str(large)), daemon=True)
        long.start()
        _wait_until_at_work(played, LARGE)
        _import(played, SMALL, str(small))
        seconds = _waited(played, SMALL)
        is_beside = _running(played, LARGE)
        long.terminate()
        long.join(10)
    figure = Figure(
        f"start of a 1-row import beside one of {rows:,}", "s", seconds, goal="≤ 2 s", notes={"beside": str(is_beside)}
    )
    figure.reached = is_beside and seconds <= 2
    return figure


def _visitor(port: int, slug: str) -> Browser:
    browser = Browser(port, f"{slug}.localhost")
    browser.log_in("/login", {"email": "alice@example.com", "password": PASSWORD}, csrf="csrf_token")
    return browser


def _timed(browser: Browser, requests: int) -> Timing:
    return measure([(browser, "/contacts")], requests=requests, at_once=1)


@contextmanager
def _noise(port: int) -> Iterator[None]:
    """Another process asks for the noisy tenant's pages without a pause."""
    context = multiprocessing.get_context("fork")
    shouting = context.Process(target=_shout, args=(port,), daemon=True)
    shouting.start()
    time.sleep(2)
    try:
        yield
    finally:
        shouting.terminate()
        shouting.join(10)


def _shout(port: int) -> None:
    measure([(_visitor(port, NOISY), "/contacts")], requests=10**9, at_once=AT_ONCE)


def _import(played: Stage, slug: str, file: str) -> None:
    played.qikbiz("import", file, "--tenant", slug, "--instruction", "bench", "--json")


def _wait_until_at_work(played: Stage, slug: str) -> None:
    until = time.monotonic() + 60
    while not _running(played, slug):
        if time.monotonic() > until:
            raise RuntimeError("The large import never began.")
        time.sleep(0.05)


def _running(played: Stage, slug: str) -> bool:
    return bool(_ask(played, slug, "SELECT count(*) FROM {}.jobs WHERE state = 'running' AND kind LIKE 'imports.%%'"))


def _waited(played: Stage, slug: str) -> float:
    return float(
        str(
            _ask(
                played,
                slug,
                "SELECT extract(epoch FROM max(started_at - created_at)) FROM {}.jobs WHERE kind LIKE 'imports.%%'",
            )
        )
    )


def _ask(played: Stage, slug: str, question: str) -> object:
    with played.superuser("qikbiz_control") as control:
        (schema,) = control.execute("SELECT schema_name FROM tenants WHERE slug = %s", (slug,)).fetchone() or ("",)
    with played.superuser("qikbiz_tenants") as connection:
        row = connection.execute(question.format(schema).encode(), ()).fetchone()
    return row[0] if row else None
