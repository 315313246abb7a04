"""The web processes: forked from one that has loaded the application, and kept running."""

from __future__ import annotations

import gc
import importlib
import logging
import shutil
import socket
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from config.settings import Settings, SettingsError, set_for_children
from config.supervision import Kept, Supervisor, fork_child
from config.web_server.board import Board
from config.web_server.limits import Limits
from config.web_server.process import Web

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# A process retires after a while, one after another: long-lived database backends never give their caches back.
LIFETIME_SECONDS = 6 * 3600
# The unit and `qikbiz up` wait longer.
SECONDS_TO_END = 4.0
NO_PROXY = (
    "QIKBIZ_TRUSTED_PROXIES is not set. Name the address of the proxy that ends TLS in front of the program, "
    "such as 127.0.0.1 for one on this machine."
)
FIGURES = "PROMETHEUS_MULTIPROC_DIR"
APPLICATION = "qikbiz.app.wsgi"
logger = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serve until a signal ends it. It listens on loopback only, unless QIKBIZ_LISTEN names another address."""
    if settings.is_production and not settings.trusted_proxies:
        # It would refuse every request: in production one counts only when a proxy says that it came over TLS.
        raise SettingsError(NO_PROXY)
    _share_figures(settings.home / "figures")
    listener = _listen(settings)
    application: WSGIApplication = importlib.import_module(APPLICATION).app
    # Loaded modules stay: excluded from collections, their memory pages stay shared with the processes.
    gc.collect()
    gc.freeze()
    board = Board(settings.web_workers)
    supervisor = Supervisor(lambda sentence: logger.warning("web_process", extra={"what": sentence}))
    for number in range(settings.web_workers):
        begin = partial(fork_child, partial(_serve, settings, application, listener, board, number))
        supervisor.add(Kept(f"web process {number + 1}", begin, seconds_to_end=SECONDS_TO_END + 1))
    supervisor.run()


def _serve(
    settings: Settings, application: WSGIApplication, listener: socket.socket, board: Board, number: int
) -> None:
    lifetime = LIFETIME_SECONDS * (1 + number / settings.web_workers)
    Web(
        application,
        Limits(upload_bytes=settings.max_upload_bytes),
        threads=settings.web_threads,
        is_proxy=lambda peer: _is_trusted(settings, peer),
        tls_file=settings.tls_file,
        lifetime=lifetime,
        place=board.of(number),
    ).serve(listener, seconds_to_end=SECONDS_TO_END)


def _is_trusted(settings: Settings, peer: str) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return any(address in network for network in settings.trusted_proxies)


def _listen(settings: Settings) -> socket.socket:
    """One socket for all processes: a connection that one of them did not take yet is not lost when it ends."""
    family = socket.AF_INET6 if ":" in settings.listen else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.listen, settings.port))
    except OSError as error:
        raise SettingsError(f"{settings.listen} port {settings.port} can't be used: {error.strerror}.") from error
    listener.listen(1024)
    listener.setblocking(False)
    return listener


def _share_figures(folder: Path) -> None:
    """The web processes add up their figures in this folder (/metrics); what an earlier run left there is not ours."""
    shutil.rmtree(folder, ignore_errors=True)
    # The folder itself stays where this account may not remove it (config/tmpfiles.d).
    folder.mkdir(parents=True, exist_ok=True)
    set_for_children(FIGURES, str(folder))
