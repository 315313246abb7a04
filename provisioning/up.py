"""The whole product on this machine: servers, databases, demo, then the Procfile's processes, all of them kept.

This process loads little and only watches. What takes much to load is done by forks of it that end (preparation.py),
and by the preloader, which forks the processes of the Procfile.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from pwd import getpwuid
from typing import IO

from config.extras import EMBEDDED
from config.settings import Settings, environment_for_children
from config.supervision import Kept, LogRelay, NotKept, Supervisor, execute, fork_child
from provisioning.embedded import EmbeddedPostgres, EmbeddedValkey
from provisioning.embedded.processes import wait_until
from provisioning.log_rotation import turn_over
from provisioning.procfile import ROOT, processes_of

PRELOADER = "preloader"
PROVISIONING_WORKER = "worker-provisioning"
WEB = "web"
SECONDS_FOR_LEFTOVERS = 10
SECONDS_FOR_SERVERS = 120
SECONDS_TO_END = 8.0
# The exit code of the preloader when it has said what it can't keep running.
GIVES_UP = 3
# PostgreSQL's fast shutdown: open transactions are rolled back, nothing committed is lost.
_SHUTDOWN = (signal.SIGINT, 20.0)
Say = Callable[[str], None]


class NotStarted(Exception):
    """The product can't be started or kept running; the text says why and what to do."""


def run_everything(settings: Settings, *, say: Say, when_ready: Callable[[], None], everything: bool = False) -> None:
    """Run until Ctrl-C or SIGTERM. `when_ready` is called, in a process of its own, once the web answers.

    `everything` shows every log line. Raises NotStarted, ExtraMissing.
    """
    if settings.embedded:
        EMBEDDED.refuse_missing()
        make_home_private(settings.home)
    with _only_one(settings.home) as lock:
        _refuse_taken_port(settings.port)
        log = settings.home / "log" / "qikbiz.log"
        turn_over(log)
        product = Product(settings, LogRelay(log, everything=everything), lock, say, when_ready)
        product.run()
        say("Stopping …")


def make_home_private(home: Path) -> None:
    """It holds databases, keys, files and mails. Other accounts may at most pass through, as the servers' own must."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = home.stat().st_mode
    if mode & 0o066 and home.owner() == _own_name():
        home.chmod(mode & ~0o066)


def _own_name() -> str:
    return getpwuid(os.geteuid()).pw_name


class Product:
    """Begins one thing after another, as each is ready, and keeps all of it."""

    def __init__(
        self, settings: Settings, relay: LogRelay, lock: IO[str], say: Say, when_ready: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._relay = relay
        self._lock = lock
        self._say = say
        self._when_ready = when_ready
        self._supervisor = Supervisor(relay.say)
        self._why: str | None = None
        self._start_pipe: int | None = None
        self._names: list[str] = []
        # An attacker in the web must not get the login that may make and read every schema, and the preloader's
        # memory is the web's.
        self._apart = [] if settings.embedded or not settings.provisioner_url else [PROVISIONING_WORKER]

    def run(self) -> None:
        self._relay.pipe(PRELOADER)
        for name in processes_of():
            self._relay.pipe(name)
        self._relay.listen(self._supervisor)
        if self._settings.embedded:
            self._say("Starting PostgreSQL and Valkey …")
        for server in kept_servers(self._settings):
            self._supervisor.add(server)
        preloader = Kept(PRELOADER, self._begin_preloader, seconds_to_end=SECONDS_TO_END, gives_up_by=GIVES_UP)
        self._supervisor.add(preloader)
        self._once("the preparation", self._prepare, self._begin_web)
        try:
            self._supervisor.run()
        except NotKept as sentence:
            why = self._relay.last_line(PRELOADER) if sentence.by_itself else str(sentence)
            raise NotStarted(f"{why} {self._where()}") from None
        if self._why is not None:
            raise NotStarted(self._why)

    def _once(self, name: str, work: Callable[[], None], then: Callable[[], None]) -> None:
        """Have a fork do `work`, and go on with `then`. When it fails, its sentence ends everything."""
        # Not waited on: another fork, made meanwhile, holds the other end for as long as it lives.
        read_end, pipe = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

        def begin() -> int:
            return fork_child(partial(_reporting_error, work, pipe))

        def ended(code: int) -> None:
            os.close(pipe)
            why = ""
            with suppress(BlockingIOError):
                why = os.read(read_end, 4096).decode(errors="replace").strip()
            os.close(read_end)
            if code == 0:
                then()
            else:
                self._why = why or f"{name} ended with code {code}. {self._where()}"
                self._supervisor.stop()

        self._supervisor.add(Kept(name, begin, once=ended))

    def _prepare(self) -> None:
        from provisioning.preparation import prepare  # noqa: PLC0415 - only the fork loads it

        if self._settings.embedded:
            for server in (EmbeddedPostgres(self._settings.home), EmbeddedValkey(self._settings.home)):
                wait_until(server.is_running, seconds=SECONDS_FOR_SERVERS)
        prepare(self._settings, self._say)

    def _begin_web(self) -> None:
        self._say("Starting the product …")
        self._start([WEB])
        self._once("the announcement", self._announce, self._begin_rest)
        if self._settings.tls_file:
            self._supervisor.add(Kept("certificates", partial(fork_child, self._certify)))

    def _begin_rest(self) -> None:
        """A page is served: now the workers, whose loading would have held it up."""
        self._start([name for name in processes_of() if name not in (WEB, *self._apart)])
        for name in self._apart:
            command = ["/bin/sh", "-c", f"exec {processes_of()[name]}"]
            environment = environment_for_children(self._settings, may_provision=True)
            begin = partial(execute, command, environment=environment, directory=ROOT, output=self._relay.pipe(name))
            self._supervisor.add(Kept(name, begin))

    def _announce(self) -> None:
        from provisioning.preparation import call_when_ready  # noqa: PLC0415

        call_when_ready(self._settings, self._say, self._when_ready)

    def _certify(self) -> None:
        from provisioning.preparation import keep_names_certified  # noqa: PLC0415

        keep_names_certified(self._settings)

    def _begin_preloader(self) -> int:
        """It reads from a pipe which processes to begin; errors it writes to another one, and ends."""
        if self._start_pipe is not None:
            os.close(self._start_pipe)
        read_end, self._start_pipe = os.pipe2(os.O_CLOEXEC)
        pipes = [f"{name}={self._relay.pipe(name)}" for name in processes_of() if name not in self._apart]
        environment = environment_for_children(self._settings, may_provision=False)
        # Threads of one process share their memory instead of each keeping some.
        environment.setdefault("MALLOC_ARENA_MAX", "2")
        command = [sys.executable, "-m", "workers.preloader", str(read_end), *pipes]
        handed = [read_end, self._lock.fileno(), *(self._relay.pipe(name) for name in processes_of())]
        try:
            return execute(
                command,
                environment=environment,
                directory=ROOT,
                output=self._relay.pipe(PRELOADER),
                handed=handed,
            )
        finally:
            os.close(read_end)
            # Restarted, it restarts what ran.
            self._start([])

    def _start(self, names: list[str]) -> None:
        """Have the preloader begin these, now and at each restart of its own."""
        self._names += names
        if self._start_pipe is not None:
            with suppress(BrokenPipeError):
                os.write(self._start_pipe, "".join(f"{name}\n" for name in names or self._names).encode())

    def _where(self) -> str:
        return f"Its log lines are in {self._settings.home / 'log'}."


def kept_servers(settings: Settings) -> list[Kept]:
    """The embedded servers; none when others were given."""
    if not settings.embedded:
        return []
    postgres, valkey = EmbeddedPostgres(settings.home), EmbeddedValkey(settings.home)
    return [
        Kept("PostgreSQL", postgres.begin, *_SHUTDOWN, is_server=True),
        Kept("Valkey", valkey.begin, seconds_to_end=20.0, is_server=True),
    ]


def _reporting_error(work: Callable[[], None], pipe: int) -> int:
    from provisioning.cli.errors import sentence_for  # noqa: PLC0415

    # Ctrl-C reaches every process of the terminal; this one is ended in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work()
    except Exception as error:
        os.write(pipe, sentence_for(error).encode()[:4096])
        return 1
    return 0


@contextmanager
def _only_one(home: Path) -> Iterator[IO[str]]:
    """Hold a lock for as long as we run. The processes of a killed run are ending, and hold it until they have."""
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
        yield lock


def _takes(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner_lives(lock: IO[str]) -> bool:
    owner = _owner(lock)
    return owner.isdecimal() and Path(f"/proc/{owner}").exists()


def _owner(lock: IO[str]) -> str:
    lock.seek(0)
    return lock.read().strip()


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise NotStarted(f"Port {port} can't be used ({error.strerror}). Choose one, such as PORT=8001.") from error
