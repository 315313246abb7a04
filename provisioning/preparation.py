"""What the processes need before they start: front-end files, databases, demo."""

from __future__ import annotations

import ssl
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress

import psycopg

from config.settings import Settings
from provisioning import assets
from provisioning.bootstrap import prepare_servers
from provisioning.development_tls import DevelopmentTls, served_names
from provisioning.migrate import migrate_everything

SECONDS_TO_ANSWER = 60
SECONDS_BETWEEN_LOOKS = 2


def prepare(settings: Settings, say: Callable[[str], None]) -> None:
    """Quick when everything is there already."""
    if not assets.is_up_to_date():
        say("Building the front-end files …")
        assets.build()
    if not settings.provisioner_url:
        _set_up_tls(settings)
        return  # another process provisions; this one may not
    say("Preparing the databases …")
    prepare_servers(settings)
    for slug, reason in migrate_everything(settings).failed:
        say(f"{slug} stays at its version and shows a maintenance page: {reason}")
    if settings.environment == "development":
        from provisioning.demo import ensure_demo  # noqa: PLC0415 - production never loads it

        say("Updating the demo tenants …")
        ensure_demo(settings)
    _set_up_tls(settings)


def _set_up_tls(settings: Settings) -> None:
    files = DevelopmentTls(settings.home)
    if not settings.tls_file:
        files.served.unlink(missing_ok=True)
        return
    files.ensure_authority()
    files.certify(served_names(settings))


def keep_names_certified(settings: Settings) -> None:
    """A tenant that is made while we run has its certificate a moment later. Goes on until the process ends."""
    files = DevelopmentTls(settings.home)
    while True:
        with suppress(psycopg.Error, OSError):
            names = served_names(settings)
            if not names <= files.certified_names():
                files.certify(names)
        time.sleep(SECONDS_BETWEEN_LOOKS)


def call_when_ready(settings: Settings, say: Callable[[str], None], when_ready: Callable[[], None]) -> None:
    """Wait until a page is served, then call `when_ready`."""
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while not answers(settings.port, _trusting(settings)):
        if time.monotonic() > deadline:
            say("The web process does not answer yet. Its log lines are in log/qikbiz.log under QIKBIZ_HOME.")
            deadline = float("inf")
        time.sleep(0.05)
    when_ready()


def answers(port: int, tls: ssl.SSLContext | None = None) -> bool:
    """Whether the web process serves, over TLS when a client that trusts it is given."""
    scheme = "https" if tls else "http"
    with (
        suppress(OSError),
        urllib.request.urlopen(f"{scheme}://127.0.0.1:{port}/healthz", timeout=2, context=tls) as response,
    ):
        return bool(response.status == 200)
    return False


def _trusting(settings: Settings) -> ssl.SSLContext | None:
    if not settings.tls_file:
        return None
    return ssl.create_default_context(cafile=str(DevelopmentTls(settings.home).authority))
