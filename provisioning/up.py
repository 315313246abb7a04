"""The whole product on this machine: servers, front-end files, databases, demo, then the Procfile's processes."""

import fcntl
import os
import signal
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO

import psutil
import psycopg

from config.settings import Settings, environment_for_children
from provisioning import assets
from provisioning.bootstrap import prepare_servers
from provisioning.development_tls import DevelopmentTls, served_names
from provisioning.embedded import EmbeddedPostgres, EmbeddedValkey
from provisioning.embedded.processes import wait_until
from provisioning.migrate import migrate_everything
from provisioning.procfile import QuietPrinter, run_procfile

PROCFILE = Path(__file__).parents[1] / "Procfile"
PROVISIONING_WORKER = "worker-provisioning"
SECONDS_TO_ANSWER = 60
SECONDS_FOR_LEFTOVERS = 10
SECONDS_BETWEEN_LOOKS = 2


class NotStarted(Exception):
    """The product can't be started; the text says why and what to do."""


def run_everything(
    settings: Settings, *, say: Callable[[str], None], when_ready: Callable[[], None], everything: bool = False
) -> None:
    """Run until Ctrl-C or SIGTERM. `when_ready` is called once the web answers; `everything` shows every log line."""
    with ExitStack() as on_exit:
        on_exit.enter_context(_ending_is_an_exception())
        on_exit.enter_context(_only_one(settings.home))
        _refuse_taken_port(settings.port)
        if settings.embedded:
            say("Starting PostgreSQL and Valkey …")
        on_exit.enter_context(start_servers(settings))
        prepare(settings, say)
        _set_up_tls(settings)
        say("Starting the product …")
        run_procfile(
            PROCFILE,
            # Whoever breaks into the web must not find the login that may make and read every schema.
            environment_of=lambda name: environment_for_children(settings, may_provision=name == PROVISIONING_WORKER),
            printer=QuietPrinter(settings.home / "log" / "qikbiz.log", everything=everything),
            when_started=lambda: _tell_when_ready(settings, say, when_ready),
        )
        say("Stopping …")


def prepare(settings: Settings, say: Callable[[str], None]) -> None:
    """Whatever the processes need before they start; quick when it is there already."""
    if not assets.is_built(assets.inputs_fingerprint()):
        say("Building the front-end files …")
        assets.build()
    if not settings.provisioner_url:
        return  # somebody else provisions; this process may not
    say("Preparing the databases …")
    prepare_servers(settings)
    for slug, reason in migrate_everything(settings).failed:
        say(f"{slug} stays at its version and shows a maintenance page: {reason}")
    if settings.environment == "development":
        from provisioning.demo import ensure_demo  # noqa: PLC0415 - production never loads it

        say("Looking after the demo organisations …")
        ensure_demo(settings)


@contextmanager
def start_servers(settings: Settings) -> Iterator[None]:
    """The embedded servers, while the block lasts; none when others were given."""
    with ExitStack() as on_exit:
        for server in (EmbeddedPostgres(settings.home), EmbeddedValkey(settings.home)) if settings.embedded else ():
            # Registered first: a start that is interrupted half-way must be stopped as well.
            on_exit.callback(server.stop)
            server.start()
        yield


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Hold a lock for as long as we run. Whatever a killed run left is ending, and holds the lock until it has."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "up.lock").open("a+", encoding="utf-8") as lock:
        taken = wait_until(lambda: _takes(lock) or _owner_lives(lock), seconds=SECONDS_FOR_LEFTOVERS)
        if not taken or not _takes(lock):
            raise NotStarted(
                f"QikBiz already runs in {home} (process {_owner(lock)}). "
                "For a second copy set another QIKBIZ_HOME and another PORT."
            )
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _takes(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner_lives(lock: IO[str]) -> bool:
    owner = _owner(lock)
    return owner.isdecimal() and psutil.pid_exists(int(owner))


def _owner(lock: IO[str]) -> str:
    lock.seek(0)
    return lock.read().strip()


@contextmanager
def _ending_is_an_exception() -> Iterator[None]:
    """SIGTERM during the preparation undoes what was started, as Ctrl-C does. Later honcho listens to both."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise NotStarted(f"Port {port} can't be used ({error.strerror}). Choose one, such as PORT=8001.") from error


def _set_up_tls(settings: Settings) -> None:
    files = DevelopmentTls(settings.home)
    if not settings.tls_file:
        files.served.unlink(missing_ok=True)
        return
    files.ensure_authority()
    files.certify(served_names(settings))
    threading.Thread(target=_keep_names_certified, args=(settings, files), daemon=True).start()


def _keep_names_certified(settings: Settings, files: DevelopmentTls) -> None:
    """A tenant that is made while we run has its certificate a moment later."""
    while True:
        with suppress(psycopg.Error, OSError):
            names = served_names(settings)
            if not names <= files.certified_names():
                files.certify(names)
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _tell_when_ready(settings: Settings, say: Callable[[str], None], when_ready: Callable[[], None]) -> None:
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while not answers(settings.port, _trusting(settings)):
        if time.monotonic() > deadline:
            say("The web process does not answer yet. Its log lines are in log/qikbiz.log under QIKBIZ_HOME.")
            deadline = float("inf")
        time.sleep(0.1)
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
