"""How gunicorn serves the product: read by `gunicorn --config config/gunicorn.py`."""

import shutil
import socket
from typing import Any

from config.logging import JsonFormatter
from config.settings import load_settings

settings = load_settings()


def _addresses() -> list[str]:
    """Everywhere in production, where a proxy stands before us; elsewhere this machine only: demo logins are known."""
    if settings.is_production:
        return [f"0.0.0.0:{settings.port}"]
    return [f"127.0.0.1:{settings.port}"] + ([f"[::1]:{settings.port}"] if _has_ipv6_loopback() else [])


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


wsgi_app = "qikbiz.wsgi:app"
bind = _addresses()
worker_class = "gthread"
workers = settings.web_workers
threads = settings.web_threads
# Each worker makes its own application, so no connection to a database or Redis is ever shared over a fork.
preload_app = False
# The web processes add up their figures in this folder (/metrics).
figures = settings.home / "figures"
raw_env = [f"PROMETHEUS_MULTIPROC_DIR={figures}"]
timeout = 60
graceful_timeout = 5
keepalive = 20
# A worker retires after a while, one at a time: long-lived backends never give their caches back.
max_requests = 20_000
max_requests_jitter = 2_000
# Requests are logged by the application itself, with ids and without query strings.
accesslog = None
# gunicorn's own lines take the same form as everybody's.
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonFormatter, "process": "web"}},
    "handlers": {"json": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": settings.log_level, "handlers": ["json"]},
    "loggers": {name: {"handlers": [], "propagate": True} for name in ("gunicorn.error", "gunicorn.access")},
}
control_socket_disable = True
# Addresses and schemes from proxies are judged by the application alone (QIKBIZ_TRUSTED_PROXIES).
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}


def on_starting(_server: Any) -> None:
    shutil.rmtree(figures, ignore_errors=True)
    figures.mkdir(parents=True)


def child_exit(_server: Any, worker: Any) -> None:
    # Imported only now: it decides at its import whether processes share figures, by the variable set above.
    from prometheus_client import multiprocess  # noqa: PLC0415

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # it has no types
