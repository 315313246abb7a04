"""A client that holds connections, bodies, uploads or answers open takes no thread, and no other client's place."""

from __future__ import annotations

import time
from typing import Any

import pytest

from config.web_server.admission import Admission
from config.web_server.limits import UPLOADS, Limits
from tests.web_server.conftest import Server, StartServer, reply_of

UNFINISHED = "POST /told HTTP/1.1\nHost: a\nContent-Length: 100\n\nonly this"
UPLOAD = "POST /imports/ HTTP/1.1\nHost: a\nConnection: close\nContent-Length: 4000000\n\n"
OTHER = "127.0.0.2"


def seconds_for(server: Server, path: str = "/told", source: str = OTHER) -> float:
    began = time.monotonic()
    assert server.get(path, source).status == 200
    return time.monotonic() - began


def test_two_hundred_unfinished_bodies_and_heads_hold_nobody_up(start_server: StartServer) -> None:
    server = start_server(connections_of_one=1000)
    for number in range(200):
        server.begin(UNFINISHED if number % 2 else "GET /told HTTP/1.1\nHost: a\nX-Unfin")
    assert seconds_for(server) < 1
    assert seconds_for(server, source="127.0.0.1") < 1


def test_an_address_at_its_limit_loses_what_has_waited_longest_and_others_lose_nothing(
    start_server: StartServer,
) -> None:
    server = start_server(connections_of_one=5)
    neighbour = server.begin(UNFINISHED, OTHER)
    held = [server.begin(UNFINISHED) for _ in range(20)]
    # The newest are served; the old ones were closed without a word.
    assert server.get("/told", "127.0.0.1").status == 200
    assert [reply_of(each).raw for each in held[:14]] == [b""] * 14
    for each in (neighbour, held[-1]):
        each.sendall(b"x" * 91)
        assert each.recv(65536).startswith(b"HTTP/1.1 200")


def test_our_own_proxy_may_hold_as_many_as_it_needs(start_server: StartServer) -> None:
    server = start_server(connections_of_one=5, proxies=["127.0.0.1"])
    held = [server.begin(UNFINISHED) for _ in range(20)]
    held[0].sendall(b"x" * 91)
    assert held[0].recv(65536).startswith(b"HTTP/1.1 200")


def test_large_uploads_have_a_few_places_of_their_own(start_server: StartServer) -> None:
    server = start_server(uploads=3, uploads_of_one=2, proxies=["127.0.0.3"])
    first = server.begin(UPLOAD)
    server.begin(UPLOAD)
    assert server.ask(UPLOAD).status == 503  # this address has two
    behind = UPLOAD.replace("Host: a", "Host: a\nX-Forwarded-For: 9.9.9.9")
    server.begin(behind, "127.0.0.3")
    assert server.ask(UPLOAD, source=OTHER).status == 503  # and there are three
    # Small bodies and everything else go on.
    assert server.ask("POST /imports/ HTTP/1.1\nHost: a\nConnection: close\nContent-Length: 1\n\nx").status == 200
    first.sendall(b"x" * 4_000_000)
    assert reply_of(first).told["length"] == 4_000_000
    assert server.ask(UPLOAD, b"x" * 4_000_000, source=OTHER).status == 200


@pytest.mark.parametrize(
    ("path", "takes"),
    [
        ("/imports/", True),
        ("/imports/0192/file", False),
        ("/tenants/acme/support/imports", True),
        ("/login", False),
        ("/contacts/imports/", False),
        ("/tenants/acme/support/imports/x", False),
    ],
)
def test_only_the_pages_that_take_files_take_large_bodies(server: Server, path: str, takes: bool) -> None:
    assert bool(UPLOADS.fullmatch(path)) == takes
    if not takes:
        assert server.ask(UPLOAD.replace("/imports/", path)).status == 413


def test_time_for_an_upload_grows_with_its_length_up_to_a_limit() -> None:
    limits = Limits(body_seconds=30, upload_bytes_per_second=100, upload_seconds=600)
    assert limits.seconds_for_upload(1000) == 40
    assert limits.seconds_for_upload(10**9) == 600
    assert limits.seconds_for_upload(None) == 600


def test_who_reads_slowly_holds_no_thread(start_server: StartServer) -> None:
    """Two threads, and five clients that take nothing of an answer larger than every buffer between."""
    server = start_server(streams=10, send_seconds=2.0)
    slow = [server.begin("GET /long?24 HTTP/1.1\nHost: a\n\n") for _ in range(5)]
    assert seconds_for(server) < 1
    # Who takes nothing for long is left; who takes it gets it all.
    assert server.get("/long?24").body.count(b"x") == 24 * 2**20
    time.sleep(2.5)
    assert all(len(reply_of(each).raw) < 24 * 2**20 for each in slow[:2])


def test_more_long_answers_than_there_are_places_are_refused_and_nothing_else(start_server: StartServer) -> None:
    server = start_server(streams=1, send_seconds=20)
    server.begin("GET /long?24 HTTP/1.1\nHost: a\n\n")
    assert seconds_for(server) < 1
    assert server.get("/long?24").status == 503


class Resting:
    """A connection as `Admission` counts it."""

    def __init__(self, peer: str, *, is_waiting: bool = True) -> None:
        self.peer, self.is_waiting, self.is_closed = peer, is_waiting, False

    def close(self) -> None:
        self.is_closed = True

    def look(self, now: float) -> None: ...


def test_when_all_are_taken_only_one_that_waits_makes_room() -> None:
    admission = Admission(Limits(connections=2, connections_of_one=10), lambda _: False)
    working, waiting, third, fourth = (Resting(str(number)) for number in range(4))
    working.is_waiting = False
    assert admission.enter(working)
    assert admission.enter(waiting)
    assert admission.enter(third)
    assert (working.is_closed, waiting.is_closed) == (False, True)
    admission.leave(waiting)
    third.is_waiting = False
    assert not admission.enter(fourth)


def test_one_that_was_just_used_has_not_waited_long() -> None:
    admission = Admission(Limits(connections_of_one=2), lambda _: False)
    one, two = Resting("a"), Resting("a")
    for each in (one, two):
        admission.enter(each)
    admission.moved(one)
    admission.enter(Resting("a"))
    assert (one.is_closed, two.is_closed) == (False, True)


def test_an_upload_gives_its_place_back_once(start_server: StartServer) -> None:
    admission: Any = Admission(Limits(uploads=1), lambda _: False)
    assert admission.begin_upload("a")
    assert not admission.begin_upload("b")
    admission.end_upload("a")
    assert admission.begin_upload("b")
