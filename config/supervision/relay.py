"""The lines that kept processes print: each to a log file, and to the screen what is not everyday."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from config.supervision.supervisor import Supervisor

LONGEST_LINE = 256 * 1024


class LogRelay:
    """A pipe for each process. Nothing here raises: a full disk must not end a process that only logs."""

    def __init__(self, log: Path, *, everything: bool) -> None:
        self._everything = everything
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._begun: dict[str, bytes] = {}
        self._last: dict[str, str] = {}
        self._pipes: dict[str, tuple[int, int]] = {}
        self._left_out = 0

    def pipe(self, name: str) -> int:
        """The end to write to. It stays open here as well, for the process that is restarted."""
        if name not in self._pipes:
            self._pipes[name] = os.pipe2(os.O_CLOEXEC)
        return self._pipes[name][1]

    def listen(self, supervisor: Supervisor) -> None:
        for name, (end, _) in self._pipes.items():
            supervisor.when_readable(end, partial(self._read, name, end))

    def last_line(self, name: str) -> str:
        """The last one that was relayed, after relaying what still waits in the pipe."""
        end = self._pipes[name][0]
        while select.select([end], [], [], 0)[0]:
            self._read(name, end)
        return self._last.get(name, "")

    def say(self, sentence: str) -> None:
        self._write("system", sentence.encode(), is_everyday=False)

    def _read(self, name: str, end: int) -> None:
        *lines, rest = (self._begun.get(name, b"") + os.read(end, 65536)).split(b"\n")
        if len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        self._begun[name] = rest
        for line in lines:
            self._last[name] = line.decode(errors="replace")
            self._write(name, line, is_everyday=_is_everyday(line))

    def _write(self, name: str, line: bytes, *, is_everyday: bool) -> None:
        whole = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {name:<19} | ".encode() + line + b"\n"
        with suppress(OSError):
            os.write(self._log, whole)
        if self._everything or not is_everyday:
            self._show(whole)

    def _show(self, line: bytes) -> None:
        """On the screen, as far as it takes it at once: a stopped terminal (Ctrl-S) must not stop the supervision.

        What is left out is counted, and the log has it.
        """
        if self._left_out:
            line = b"(lines not shown here: %d; the log has them)\n" % self._left_out + line
        for begin in range(0, len(line), select.PIPE_BUF):
            # "Can be written" promises space for this much and no more.
            if not select.select([], [2], [], 0)[1]:
                self._left_out += 1
                return
            with suppress(OSError):
                os.write(2, line[begin : begin + select.PIPE_BUF])
        self._left_out = 0


def _is_everyday(line: bytes) -> bool:
    return b'"level": "info"' in line or b'"level": "debug"' in line
