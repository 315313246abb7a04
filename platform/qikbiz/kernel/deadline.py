"""One deadline for a whole exchange with a server outside, however slowly it answers and however many steps it has."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


class OutOfTime(Exception):
    """The exchange took longer than it may. What was begun goes on in a thread that nobody listens to any more."""


class Deadline:
    """A moment, `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds; never below zero."""
        return max(0.0, self._ends - time.monotonic())


def call_within(deadline: Deadline, function: Callable[[], Answer]) -> Answer:
    """What `function` gives, or raises. Raises OutOfTime when the deadline is over first.

    A socket's own time-out counts anew for each byte and not at all for a name server, so the function runs in a
    thread of its own. It must do nothing that would be wrong after its caller has given up.
    """
    answers: list[Answer] = []
    problems: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(function())
        except BaseException as problem:  # raised again below, in the caller's thread
            problems.append(problem)

    thread = threading.Thread(target=run, name="outside", daemon=True)
    thread.start()
    thread.join(deadline.left)
    if problems:
        raise problems[0]
    if not answers:
        raise OutOfTime
    return answers[0]
