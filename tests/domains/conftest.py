"""A name server on loopback: the DNS is the outside world, so it is played here, by its own protocol."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from provisioning.servers import connect_to_control
from qikbiz.trust.domains import dns as asking
from tests.fixtures.world import World


class NameServer:
    """Answers with the TXT records it was given; `failing` says SERVFAIL, `silent` says nothing."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.failing = self.silent = False
        self.asked: list[str] = []

    def answer(self, wire: bytes) -> bytes | None:
        question = dns.message.from_wire(wire)
        name = question.question[0].name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        if self.silent:
            return None
        reply = dns.message.make_response(question)
        reply.flags |= dns.flags.RA
        if self.failing:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif name in self.texts:
            records = [" ".join(f'"{piece}"' for piece in _pieces(text)) for text in self.texts[name]]
            reply.answer.append(dns.rrset.from_text_list(question.question[0].name, 60, "IN", "TXT", records))
        else:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()


def _pieces(text: str) -> list[str]:
    """As name servers send long texts: in several strings, cut anywhere."""
    return [text[start : start + 20] for start in range(0, len(text), 20)] or [""]


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch, rested: None) -> Iterator[NameServer]:
    played = NameServer()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, socket = self.request
            reply = played.answer(wire)
            if reply is not None:
                socket.sendto(reply, self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

        def resolver() -> dns.resolver.Resolver:
            ours = dns.resolver.Resolver(configure=False)
            ours.nameservers, ours.port = ["127.0.0.1"], server.server_address[1]
            return ours

        monkeypatch.setattr(asking, "resolver", resolver)
        monkeypatch.setattr(asking, "SECONDS", 0.5)
        yield played
        server.shutdown()


@pytest.fixture(autouse=True)
def no_domains_left(world: World) -> Iterator[None]:
    yield
    with connect_to_control(world.settings, autocommit=True) as control:
        control.execute("DELETE FROM domains")
        control.execute(
            """WITH raised AS (UPDATE directory_state SET version = version + 1 RETURNING version)
               UPDATE tenants SET directory_version = raised.version FROM raised"""
        )
    world.runtime.directory.look()
