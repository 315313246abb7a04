"""Where the bench plays: servers, our program and the peer's, all under `build/bench`."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from config.settings import Settings, load_settings
from provisioning.bootstrap import prepare_servers
from provisioning.embedded import EmbeddedPostgres, EmbeddedValkey
from provisioning.embedded.postgres import binary
from provisioning.migrate import migrate_everything
from tests.fixtures.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench"
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Stage:
    """Running servers and what is needed to start programs on them."""

    settings: Settings
    postgres: EmbeddedPostgres
    environment: Mapping[str, str]

    @property
    def home(self) -> Path:
        return self.settings.home

    def superuser(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.postgres.url("postgres", database), autocommit=True)

    def qikbiz(self, *words: str, stdin: str = "") -> str:
        """Run our command line and return what it prints."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name("qikbiz")), *words],
            env={**os.environ, **self.environment},
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"qikbiz {' '.join(words)}: {done.stderr[-800:]}{done.stdout[-400:]}")
        return done.stdout


@contextmanager
def stage() -> Iterator[Stage]:
    """Fresh servers with full durability, our control database, and no tenant."""
    home = BUILD / "home"
    postgres, valkey = EmbeddedPostgres(home), EmbeddedValkey(home)
    postgres.stop()
    valkey.stop()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    postgres.start()
    valkey.start()
    # Production's Argon2 cost would only slow the sign-in; everything measured runs with production's settings.
    environment = {"QIKBIZ_HOME": str(home), "QIKBIZ_ENV": "development", "PORT": str(free_port())}
    settings = load_settings(environment)
    try:
        prepare_servers(settings)
        migrate_everything(settings)
        yield Stage(settings, postgres, environment)
    finally:
        postgres.stop()
        valkey.stop()


@contextmanager
def running(
    command: list[str], *, environment: Mapping[str, str], cwd: Path, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process for the length of the block; its whole group ends with it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            cwd=cwd,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with {process.returncode} before it answered.")
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"Nothing answers on port {port}.")


@contextmanager
def our_web(played: Stage) -> Iterator[int]:
    """Our program with two worker processes, as `qikbiz up` serves it; gives the port."""
    port = played.settings.port
    command = [sys.executable, "-m", "config.web_server"]
    with running(command, environment=played.environment, cwd=ROOT, log=BUILD / "our-web.log") as process:
        wait_for_port(port, process)
        yield port


@contextmanager
def our_workers(played: Stage, *queues: str) -> Iterator[dict[str, int]]:
    """A worker for each queue, and the sweeper; gives the process id of each worker."""
    with ExitStack() as processes:
        ids: dict[str, int] = {}
        for name, module in (*((queue, ["workers", queue]) for queue in queues), ("sweeper", ["workers.sweeper"])):
            command = [sys.executable, "-m", *module]
            log = BUILD / f"{name}.log"
            started = running(command, environment=played.environment, cwd=ROOT, log=log)
            ids[name] = processes.enter_context(started).pid
        yield ids


def postgres_program(name: str) -> str:
    """Path of a program of the embedded PostgreSQL, such as psql."""
    return str(binary(name))
