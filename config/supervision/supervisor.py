"""Keeps processes running: begins them, sees each end by its exit, begins it again a little later each time.

One thread without a lock: it waits for signals, for lines to relay, and for the next moment something is due.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from config.supervision.children import Kept, describe_end

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
HEALTHY_AFTER = 60.0
# With the pauses above that is about a minute.
MOST_TRIES = 8


class NotKept(Exception):
    """A process that can't be kept running; the text says which, and how it ended. `by_itself`: it gave up."""

    def __init__(self, sentence: str, *, by_itself: bool = False) -> None:
        super().__init__(sentence)
        self.by_itself = by_itself


class Supervisor:
    """`say` gets one sentence for each unexpected end."""

    def __init__(self, say: Callable[[str], None], *, most_tries: int = MOST_TRIES) -> None:
        self._say = say
        self._most_tries = most_tries
        self._kept: list[Kept] = []
        self._is_ending = False
        self._waiting = selectors.DefaultSelector()

    def add(self, kept: Kept) -> None:
        """Keep this too, from the next look on."""
        self._kept.append(kept)

    def when_readable(self, file: int, act: Callable[[], None]) -> None:
        """Call `act` whenever `file` has something to read."""
        self._waiting.register(file, selectors.EVENT_READ, act)

    def ignore(self, file: int) -> None:
        with suppress(KeyError):
            self._waiting.unregister(file)

    def stop(self) -> None:
        """Let `run` return soon."""
        self._is_ending = True

    def run(self) -> None:
        """Until SIGTERM or SIGINT, or NotKept when a process ends again and again. Either way all are ended."""
        with self._signals():
            try:
                while not self._is_ending:
                    self._begin_due()
                    self._wait(self._next_due())
                    self._reap()
            finally:
                self.end()

    def end(self) -> None:
        """End every process, servers last: its signal first, SIGKILL when it takes too long."""
        self._is_ending = True
        for are_servers in (False, True):
            those = [kept for kept in self._kept if kept.is_server == are_servers and kept.pid is not None]
            for kept in those:
                kept.signal(kept.end_signal)
            until = time.monotonic() + max((kept.seconds_to_end for kept in those), default=0)
            while any(kept.pid for kept in those) and time.monotonic() < until:
                self._wait(time.monotonic() + 0.05)
                self._reap()
            for kept in those:
                kept.signal(signal.SIGKILL)
            while any(kept.pid for kept in those):
                self._wait(time.monotonic() + 0.05)
                self._reap()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT end the loop, and like SIGCHLD they interrupt its waiting."""
        ear, mouth = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        before = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)}
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end_loop)
        self._waiting.register(ear, selectors.EVENT_READ, lambda: _drain(ear))
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)
            self._waiting.unregister(ear)
            os.close(ear)
            os.close(mouth)

    def _end_loop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_ending = True

    def _begin_due(self) -> None:
        now = time.monotonic()
        for kept in self._kept:
            if kept.pid is None and kept.begins_at <= now and not self._is_ending:
                kept.started = now
                try:
                    kept.pid = kept.begin()
                except Exception as error:
                    if not kept.tries:  # what has never run is not worth waiting for
                        raise NotKept(f"{kept.name} could not be started: {error}") from error
                    self._ended(kept, f"could not be started ({error})")

    def _next_due(self) -> float:
        due = [kept.begins_at for kept in self._kept if kept.pid is None]
        return min(due, default=time.monotonic() + LONGEST_PAUSE)

    def _wait(self, until: float) -> None:
        for key, _ in self._waiting.select(max(0.0, until - time.monotonic())):
            key.data()

    def _reap(self) -> None:
        for kept in list(self._kept):
            if kept.pid is None:
                continue
            try:
                pid, status = os.waitpid(kept.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = kept.pid, 0
            if pid:
                kept.pid = None
                self._reaped(kept, status)

    def _reaped(self, kept: Kept, status: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        if self._is_ending:
            return
        if kept.once is not None:
            self._kept.remove(kept)
            kept.once(code)
        elif code == kept.gives_up_by:
            raise NotKept(f"{kept.name} gave up.", by_itself=True)
        else:
            self._ended(kept, describe_end(status), was_asked=code == 0)

    def _ended(self, kept: Kept, how: str, *, was_asked: bool = False) -> None:
        now = time.monotonic()
        kept.tries = 1 if now - kept.started > HEALTHY_AFTER else kept.tries + 1
        if kept.tries >= self._most_tries:
            raise NotKept(f"{kept.name} {how}, {kept.tries} times in a row.")
        pause = min(FIRST_PAUSE * 2 ** (kept.tries - 1), LONGEST_PAUSE)
        kept.begins_at = now + (0 if was_asked and kept.tries == 1 else pause)
        self._say(f"{kept.name} {how}; it starts again in {max(0.0, kept.begins_at - now):.1f} s.")


def _drain(file: int) -> None:
    with suppress(BlockingIOError):
        while os.read(file, 4096):
            pass
