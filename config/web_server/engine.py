"""The threads of one web process. One of them leads: it reads, writes, and runs the requests that are whole.

A page is five milliseconds of Python with a dozen short waits for PostgreSQL and Redis between. When several threads
work at once, each wait hands Python's one interpreter to another thread and has to fight for it again, and so does a
thread that only reads and writes for the others (docs/decisions/0006-web-server.md). So the thread that read a request
runs it, too. When that takes longer than `patience`, the next thread takes the lead, and the slow request goes on
beside it. A timer of the kernel wakes it, so that nothing is handed over as long as every request is quick.
"""

from __future__ import annotations

import ctypes
import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from config.web_server.board import Place
from config.web_server.fair_queue import FairQueue

# A few pages long.
PATIENCE_SECONDS = 0.02
SECONDS_BETWEEN_TICKS, SECONDS_BETWEEN_LOOKS = 1.0, 0.002
READ, WRITE = select.EPOLLIN, select.EPOLLOUT
Task = Callable[[], None]
logger = logging.getLogger(__name__)


class Engine:
    """`tick` is called by the leader once a second; `place` is this process's among the others.

    What a task raises is logged: if it ended the leading thread, no request would be served.
    """

    def __init__(
        self,
        *,
        threads: int,
        streams: int,
        tick: Task,
        place: Place | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._threads = threads
        self._streams_left = streams
        self._tick = tick
        self._timer = _Timer(patience)
        self._epoll = select.epoll()
        self._watched: dict[int, Callable[[int], None]] = {}
        self._ready = FairQueue(threads, place)
        self._calls: deque[Task] = deque()
        self._lock = threading.Lock()
        self._next_leader = threading.Lock()
        self._term = 0
        self._is_busy = False
        self._is_over = False
        self._mine = threading.local()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._bell, READ)
        self._watched[self._bell] = lambda _events: self._silence()

    def start(self) -> None:
        for _ in range(self._threads):
            self._add_thread()
        self._timer.ring()

    def stop(self) -> None:
        """Threads that wait end; those in the middle of a request end with the process."""
        self._is_over = True
        self.ring()
        self._timer.ring()

    @property
    def waiting(self) -> int:
        """How many requests are whole and not begun."""
        return len(self._ready)

    # the leader's thread calls these

    def watch(self, file: int, events: int, act: Callable[[int], None]) -> None:
        """Have `act` called with the events of `file`, once; `rearm` asks for the next time."""
        self._watched[file] = act
        self._epoll.register(file, events | select.EPOLLONESHOT)

    def rearm(self, file: int, events: int) -> None:
        self._epoll.modify(file, events | select.EPOLLONESHOT)

    def unwatch(self, file: int) -> None:
        if self._watched.pop(file, None) is not None:
            with suppress(OSError, ValueError):
                self._epoll.unregister(file)

    def submit(self, task: Task, whose: str) -> None:
        """`whose` it is, the host that was asked, decides whose turn it is."""
        self._ready.put(whose, task)

    # any thread calls these

    def call(self, act: Task) -> None:
        """Have the leader do this as soon as it can."""
        self._calls.append(act)
        if getattr(self._mine, "term", None) != self._term:
            self.ring()

    def ring(self) -> None:
        with suppress(OSError):
            os.eventfd_write(self._bell, 1)

    def step_aside(self) -> bool:
        """The request of this thread only sends from now on: another one leads, and another takes its place.

        False when as many as may be are sending already; then nothing has changed.
        """
        with self._lock:
            if self._streams_left <= 0:
                return False
            self._streams_left -= 1
            self._mine.streams = True
        self._give_place_back()
        self._add_thread()
        if self._mine.term == self._term:
            self._timer.ring()
        return True

    def _add_thread(self) -> None:
        threading.Thread(target=self._work, name="request", daemon=True).start()

    def _work(self) -> None:
        self._mine.streams = False
        while not self._is_over:
            with self._next_leader:
                self._timer.wait()
                if not self._takes_lead():
                    continue
            self._lead()
            if self._mine.streams:  # another thread took the place of this one
                with self._lock:
                    self._streams_left += 1
                return

    def _takes_lead(self) -> bool:
        with self._lock:
            if self._term and not self._is_busy:
                return False  # the request was done in the moment the timer rang
            self._term += 1
            self._mine.term = self._term
            self._is_busy = False
            return True

    def _lead(self) -> None:
        """Read, write and run for as long as the lead is this thread's."""
        ticked = 0.0
        while not self._is_over:
            for file, events in self._epoll.poll(self._rest()):
                act = self._watched.get(file)
                if act is not None:
                    _do(partial(act, events))
            while self._calls:
                _do(self._calls.popleft())
            now = time.monotonic()
            if now - ticked >= SECONDS_BETWEEN_TICKS:
                ticked = now
                _do(self._tick)
            following = self._ready.take()
            if following is not None and not self._run(*following):
                return

    def _rest(self) -> float:
        """Seconds until the leader has something to do, if nothing comes meanwhile."""
        if self._calls or self._ready.has_next():
            return 0.0
        # What waits may begin once another process is done, of which there is no signal.
        return SECONDS_BETWEEN_LOOKS if len(self._ready) else SECONDS_BETWEEN_TICKS

    def _run(self, whose: str, task: Task) -> bool:
        """Run one request. False when another thread has taken the lead meanwhile."""
        self._is_busy = True
        self._mine.whose = whose
        if self._ready.is_busy(whose):
            self._timer.ring()
        else:
            self._timer.start()
        _do(task)
        self._give_place_back()
        with self._lock:
            if self._mine.term != self._term:
                return False
            self._is_busy = False
            self._timer.stop()
            return True

    def _give_place_back(self) -> None:
        """Another request of this one's host may begin; a leader that waits is woken."""
        whose, self._mine.whose = self._mine.whose, None
        if whose is not None and self._ready.done(whose) and self._mine.term != self._term:
            self.ring()

    def _silence(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._bell)


def _do(task: Task) -> None:
    try:
        task()
    except BaseException:
        logger.exception("task_failed")


class _Timer:
    """A timer of the kernel that one thread waits for. Setting it keeps the interpreter, which costs no hand-over."""

    def __init__(self, seconds: float) -> None:
        libc = ctypes.PyDLL(None, use_errno=True)
        self._set = libc.timerfd_settime
        self._file = libc.timerfd_create(1, os.O_CLOEXEC)  # 1: CLOCK_MONOTONIC
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._after = _spec(seconds)
        self._at_once, self._never = _spec(1e-9), _spec(0)

    def start(self) -> None:
        self._set(self._file, 0, self._after, None)

    def ring(self) -> None:
        self._set(self._file, 0, self._at_once, None)

    def stop(self) -> None:
        self._set(self._file, 0, self._never, None)

    def wait(self) -> None:
        os.read(self._file, 8)


def _spec(seconds: float) -> ctypes.Array[ctypes.c_long]:
    """A struct itimerspec: no repetition, then the time until it rings; zero is never."""
    return (ctypes.c_long * 4)(0, 0, int(seconds), round((seconds % 1) * 1e9))
