"""The web server itself: the same page behind ours and behind gunicorn's threads."""

from __future__ import annotations

import sys

from tests.bench.http import Browser, Timing, measure
from tests.bench.report import Figure
from tests.bench.stage import BUILD, ROOT, Stage, our_web, running, wait_for_port
from tests.bench.tenants import PASSWORD, fill_contacts, tenant_with_user


def measure_server(played: Stage, *, requests: int) -> list[Figure]:
    tenant_with_user(played, "serving")
    fill_contacts(played, "serving", 5_000)
    with our_web(played) as port:
        own = _timed(port, requests)
    port, threads = played.settings.port, str(played.settings.web_threads)
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    command += ["--worker-class", "gthread", "--threads", threads, "--keep-alive", "20", "qikbiz.app.wsgi:app"]
    with running(command, environment=played.environment, cwd=ROOT, log=BUILD / "gunicorn.log") as process:
        wait_for_port(port, process)
        gunicorn = _timed(port, requests)
    return [
        Figure("list page by web server", "pages/s", own.rate, gunicorn.rate, "gunicorn", better="more"),
        Figure("the same, median latency at 4 at once", "ms", own.median, gunicorn.median, "gunicorn"),
    ]


def _timed(port: int, requests: int) -> Timing:
    browser = Browser(port, "serving.localhost")
    browser.log_in("/login", {"email": "alice@example.com", "password": PASSWORD}, csrf="csrf_token")
    measure([(browser, "/contacts")], requests=max(requests // 10, 20), at_once=4)
    return measure([(browser, "/contacts")], requests=requests, at_once=4)
