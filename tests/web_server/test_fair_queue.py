"""Hosts take turns for the threads of a web process, and none has all of them while others are visited."""

import pytest

from config.web_server import fair_queue
from config.web_server.fair_queue import FairQueue


def nothing() -> None:
    """A request."""


def order(queue: FairQueue, *, at_once: bool = False) -> list[str]:
    begun = []
    while (taken := queue.take()) is not None:
        begun.append(taken[0])
        if not at_once:
            queue.done(taken[0])
    return begun


def test_a_page_of_another_host_begins_after_one_request_of_a_busy_one() -> None:
    queue = FairQueue(4)
    for _ in range(50):
        queue.put("busy", nothing)
    queue.put("quiet", nothing)
    assert len(queue) == 51
    assert order(queue)[:3] == ["busy", "quiet", "busy"]
    assert (len(queue), queue.has_next()) == (0, False)


def test_a_host_has_one_request_at_work_beside_others_and_all_threads_but_one_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = FairQueue(4)
    for _ in range(9):
        queue.put("busy", nothing)
    assert order(queue, at_once=True) == ["busy"] * 3
    assert len(queue) == 6 and not queue.has_next()
    queue.put("quiet", nothing)
    assert order(queue, at_once=True) == ["quiet"]
    for _ in range(3):
        queue.done("busy")
    assert order(queue, at_once=True) == ["busy"], "Beside another one it has one place."
    queue.done("quiet")
    monkeypatch.setattr(fair_queue, "VISITED_SECONDS", -1.0)
    assert order(queue, at_once=True) == ["busy"] * 2
    assert FairQueue(1).take() is None


def test_one_thread_is_enough() -> None:
    queue = FairQueue(1)
    for host in ("a", "a", "b", "a"):
        queue.put(host, nothing)
    assert order(queue) == ["a", "b", "a", "a"]


def test_requests_of_one_host_begin_in_the_order_in_which_they_came() -> None:
    queue, begun = FairQueue(4), []
    for number in range(5):
        queue.put("a", lambda number=number: begun.append(number))  # type: ignore[misc]
    while (taken := queue.take()) is not None:
        taken[1]()
        queue.done(taken[0])
    assert begun == [0, 1, 2, 3, 4]
