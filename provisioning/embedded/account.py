"""The system account that embedded servers run as. PostgreSQL refuses to run as root, so root lends it another one."""

import os
import pwd
import signal
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from config.supervision import execute

ACCOUNT = "qikbiz-db"


@dataclass(frozen=True)
class Account:
    """Whom a server runs as; `borrowed` when that is not the person who started it."""

    user: int
    group: int
    borrowed: bool

    def run(self, command: list[str | Path], *, directory: Path, environment: dict[str, str], output: IO[Any]) -> int:
        """Run a command as this account until it ends, and return its exit code."""
        nobody_else: list[int] | None = [] if self.borrowed else None
        done = subprocess.run(
            command,
            check=False,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C in the terminal is for `up`, which stops its servers in order
            user=self.user if self.borrowed else None,
            group=self.group if self.borrowed else None,
            extra_groups=nobody_else,
        )
        return done.returncode

    def begin(
        self, command: list[str | Path], *, directory: Path, environment: dict[str, str], log: Path, how: signal.Signals
    ) -> int:
        """Start a program as this account and return its process id. It gets `how` when this process ends."""
        output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if self.borrowed:
                os.fchown(output, self.user, self.group)
            return execute(
                command,
                environment=environment,
                directory=directory,
                output=output,
                how=how,
                user=self.user if self.borrowed else None,
                group=self.group if self.borrowed else None,
            )
        finally:
            os.close(output)

    def own_directory(self, directory: Path) -> None:
        """Make `directory` this account's alone. Only this account and root can open it."""
        if directory.is_symlink():  # another account may have put it in the shared temp directory before us
            raise PermissionError(f"{directory} is a link; remove it.")
        directory.mkdir(parents=True, exist_ok=True)
        if self.borrowed:
            os.chown(directory, self.user, self.group)
            _open_way_to(directory)
        directory.chmod(0o700)

    def reach(self, program: Path) -> None:
        """Make sure that this account can start `program`."""
        if self.borrowed:
            _open_way_to(program)


def server_account(directory: Path) -> Account:
    """This process's account; for root the owner of the server's `directory`, else an account made for the purpose.

    Where accounts can't be made, `nobody` will do.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), borrowed=False)
    if directory.exists() and directory.stat().st_uid != 0:
        return Account(directory.stat().st_uid, directory.stat().st_gid, borrowed=True)
    entry = _entry(ACCOUNT) or _made_account() or pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid, borrowed=True)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _made_account() -> pwd.struct_passwd | None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
    with suppress(OSError):  # no useradd here; a failure of it may mean that another start was quicker
        subprocess.run(command, check=False, capture_output=True)
    return _entry(ACCOUNT)


def _open_way_to(path: Path) -> None:
    """Let all accounts pass through (not list) the directories above `path`: root's own are often closed."""
    for directory in path.parents:
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
