"""Hosts take turns for the threads of a web process, and none has all of them while others are visited."""

import pytest

from config.web_server import board, fair_queue
from config.web_server.board import Board
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
    monkeypatch.setattr(board, "VISITED_SECONDS", -1.0)
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


def two_processes() -> tuple[FairQueue, FairQueue]:
    shared = Board(2)
    return FairQueue(4, shared.of(0)), FairQueue(4, shared.of(1))


def test_beside_others_a_host_has_one_request_at_work_in_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = two_processes()
    first.put("busy", nothing)
    second.put("busy", nothing)
    assert order(first, at_once=True) == ["busy"]
    assert second.has_next(), "Alone it has them all."
    first.put("quiet", nothing)
    assert order(second) == [] and not second.has_next()
    assert order(first) == ["quiet"]
    first.done("busy")
    assert order(second) == ["busy"]
    # A page that takes long holds no other one up.
    first.put("busy", nothing)
    second.put("busy", nothing)
    monkeypatch.setattr(fair_queue, "BREATH_SECONDS", 0.0)
    assert order(first, at_once=True) == ["busy"]
    monkeypatch.setattr(board, "QUICK_SECONDS", 0.0)
    assert order(second) == ["busy"]


def test_a_busy_host_is_served_where_the_others_do_not_visit_unless_it_waits_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = two_processes()
    first.put("quiet", nothing)
    assert order(first) == ["quiet"]
    for queue in (first, second):
        queue.put("busy", nothing)
    assert order(second) == ["busy"]
    assert order(first) == [], "The other process has just served it, and would again."
    monkeypatch.setattr(fair_queue, "LONGEST_SECONDS", 0.0)
    assert order(first) == ["busy"]


def test_what_a_process_left_at_the_board_ends_with_it() -> None:
    shared = Board(2)
    dying, living = FairQueue(4, shared.of(0)), FairQueue(4, shared.of(1))
    living.put("quiet", nothing)
    dying.put("busy", nothing)
    assert order(dying, at_once=True) == ["busy"]
    living.put("busy", nothing)
    assert order(living) == ["quiet"]
    shared.of(0)
    assert order(living) == ["busy"]
