"""In production nothing is answered that was asked in the clear (P7). The proxies redirect pages; here all is refused.

It stands before everything else, so that such a request is not parsed, sets no cookie, and meets no database.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.wrappers import Response

from qikbiz.web.client_address import came_over_tls, is_neighbour
from tenants.runtime import Runtime

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What programs beside us ask for themselves, without a person behind them: is it well, its figures, is this host known.
OF_NEIGHBOURS = frozenset({"/healthz", "/readyz", "/metrics", "/internal/domains/ask"})
REFUSAL = (
    "This address is available over TLS only.\n"
    "If you operate this installation: let a proxy listed in QIKBIZ_TRUSTED_PROXIES send X-Forwarded-Proto.\n"
)
logger = logging.getLogger(__name__)


class OnlyEncrypted:
    """Hands on what came over TLS, and says so to everybody behind it."""

    def __init__(self, application: WSGIApplication, started: Runtime) -> None:
        self._application = application
        self._trusted = started.settings.trusted_proxies
        self._refuses = started.settings.is_production

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if came_over_tls(environ, self._trusted):
            environ["wsgi.url_scheme"] = "https"
        elif self._refuses and not self._is_for_neighbours(environ):
            logger.warning("plain_refused")
            return Response(REFUSAL, 403, content_type="text/plain; charset=utf-8")(environ, start_response)
        return self._application(environ, start_response)

    def _is_for_neighbours(self, environ: WSGIEnvironment) -> bool:
        return environ.get("PATH_INFO") in OF_NEIGHBOURS and is_neighbour(environ, self._trusted)


def register(app: Flask) -> None:
    app.wsgi_app = OnlyEncrypted(app.wsgi_app, app.extensions["qikbiz"])  # type: ignore[method-assign]  # as Flask documents
