"""The web server: granian, two processes with a few threads each. `python -m config.web_server`, as the Procfile does.

Measured beside gunicorn with threads (`make bench`): about a third less processor time for the same page.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels

from config.logging import JsonFormatter
from config.settings import Settings, SettingsError, load_settings, tell_children

# A process retires after a while, one at a time: long-lived database backends never give their caches back.
LIFETIME_SECONDS = 6 * 3600
SECONDS_BETWEEN_LOOKS = 1.0
NO_PROXY = (
    "QIKBIZ_TRUSTED_PROXIES is not set. Name the address of the proxy that ends TLS in front of the program, "
    "such as 127.0.0.1 for one on this machine."
)
FIGURES = "PROMETHEUS_MULTIPROC_DIR"


def serve(settings: Settings) -> None:
    """Serve until told to stop. Only programs of this machine get in, unless QIKBIZ_LISTEN names another address."""
    if settings.is_production and not settings.trusted_proxies:
        # It would answer nobody: in production a request counts only when a proxy vouches that it came over TLS.
        raise SettingsError(NO_PROXY)
    _share_figures(settings.home / "figures")
    if settings.tls_file:
        threading.Thread(target=_take_up_certificates, args=(settings.tls_file,), daemon=True).start()
    Granian(
        "qikbiz.wsgi:app",
        address=settings.listen,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.web_workers,
        blocking_threads=settings.web_threads,
        websockets=False,
        http1_settings=HTTP1Settings(keep_alive=True, max_buffer_size=64 * 1024),
        ssl_cert=settings.tls_file,
        ssl_key=settings.tls_file,
        ssl_protocol_min=SSLProtocols.tls12,
        log_dictconfig=_logging(settings),
        # Its advice about the kernel is for whoever runs a real installation.
        log_level=LogLevels.warning if settings.is_production else LogLevels.error,
        # Requests are logged by the application itself, with ids and without query strings.
        log_access=False,
        respawn_failed_workers=True,
        workers_lifetime=LIFETIME_SECONDS,
        workers_kill_timeout=5,
    ).serve()


def _share_figures(folder: Path) -> None:
    """The web processes add up their figures in this folder (/metrics); what an earlier run left there is not ours."""
    shutil.rmtree(folder, ignore_errors=True)
    # The folder itself stays where this account may not remove it (config/tmpfiles.d).
    folder.mkdir(parents=True, exist_ok=True)
    tell_children(FIGURES, str(folder))


def _take_up_certificates(file: Path) -> None:
    """Have the processes begun anew whenever `file` is another one: `qikbiz up --tls` writes it for a new tenant."""
    known = file.stat().st_mtime_ns
    while True:
        time.sleep(SECONDS_BETWEEN_LOOKS)
        with suppress(FileNotFoundError):
            if file.stat().st_mtime_ns != known:
                known = file.stat().st_mtime_ns
                os.kill(os.getpid(), signal.SIGHUP)


def _logging(settings: Settings) -> dict[str, Any]:
    """The server's own lines in everybody's form."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter, "process": "web"}},
        "handlers": {"json": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": settings.log_level, "handlers": ["json"]},
        "loggers": {"_granian": {"handlers": [], "propagate": True}},
    }


if __name__ == "__main__":
    try:
        serve(load_settings())
    except SettingsError as refusal:
        raise SystemExit(str(refusal)) from None
