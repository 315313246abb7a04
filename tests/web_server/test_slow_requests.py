"""Requests of one process take turns, but none waits long for a slow one."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.web_server.conftest import Server, StartServer, reply_of


def test_one_request_works_at_a_time(start_server: StartServer) -> None:
    server = start_server()
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: server.get("/told"), range(40)))
    assert {reply.status for reply in replies} == {200}
    # A second one begins beside it only when one took long, as on a machine with much else to do.
    assert replies[-1].told["most_at_work"] <= 2


def test_a_slow_request_is_waited_for_only_a_moment(server: Server) -> None:
    slow = server.begin("GET /slow?1.5 HTTP/1.1\nHost: a\nConnection: close\n\n")
    began = time.monotonic()
    assert server.get("/told").status == 200
    assert time.monotonic() - began < 1
    assert reply_of(slow).status == 200
    assert server.get("/told").status == 200


def test_when_every_thread_is_slow_the_next_request_waits_for_one_of_them(server: Server) -> None:
    slow = [server.begin("GET /slow?0.5 HTTP/1.1\nHost: a\nConnection: close\n\n") for _ in range(4)]
    assert server.get("/told").status == 200
    assert [reply_of(each).status for each in slow] == [200] * 4


def test_an_ending_server_answers_what_it_has_begun(start_server: StartServer) -> None:
    server = start_server()
    idle, slow = server.connect(), server.begin("GET /slow?0.5 HTTP/1.1\nHost: a\n\n")
    time.sleep(0.2)
    server.process.terminate()
    assert reply_of(slow).status == 200
    assert reply_of(idle).raw == b""
    assert server.process.wait(10) == 0
