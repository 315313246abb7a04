"""Each call to a server outside has one deadline for the whole exchange, and lets a failing server rest."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from qikbiz.identity.passwords import breached_passwords
from qikbiz.kernel.circuit_breaker import CircuitBreaker
from qikbiz.kernel.deadline import OutOfTime
from qikbiz.trust.domains import dns
from qikbiz.trust.privacy import notice_probe
from tenants.runtime import Runtime
from tests.domains.conftest import NameServer, name_server

__all__ = ["name_server"]
ROOT = Path(__file__).parents[2]
ASKS = re.compile(
    r"^\s*(?:import|from) (?:smtplib|http\.client|urllib\.request|urllib3|requests|httpx|stripe|dns\.resolver)\b", re.M
)
# Each holds to one deadline: by `call_within` or by the resolver's `lifetime`. HTTP goes through the one client alone,
# and Stripe's library uses that one too.
KNOWN = {
    "qikbiz/kernel/http_client.py": "call_within(",
    "qikbiz/trust/billing/stripe.py": "call_within(",
    "qikbiz/trust/billing/payment_client.py": "Deadline(",
    "qikbiz/trust/domains/dns.py": "lifetime=",
    "qikbiz/messaging/mail/smtp.py": "call_within(",
    "provisioning/doctor/machine.py": "timeout=5",
    # It asks this machine's own web process.
    "provisioning/preparation.py": "timeout=2",
}


def test_every_module_that_asks_servers_outside_is_known_and_has_a_deadline() -> None:
    folders = (
        ROOT / "platform" / "qikbiz",
        *(ROOT / name for name in ("workers", "provisioning", "config", "tenants")),
    )
    product = [path for folder in folders for path in folder.rglob("*.py")]
    texts = {Path(str(path.relative_to(ROOT)).removeprefix("platform/")): path.read_text() for path in product}
    assert {str(path) for path, text in texts.items() if ASKS.search(text)} == set(KNOWN)
    assert [name for name, sign in KNOWN.items() if sign not in texts[Path(name)]] == []


@pytest.fixture
def dripping() -> Iterator[tuple[str, list[int]]]:
    """A web server that sends a byte now and then for ever, and how often it was asked."""
    asked: list[int] = []

    def drip(peer: socket.socket) -> None:
        with suppress(OSError), peer:
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                peer.sendall(b"a")
                time.sleep(0.05)

    def listen(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                peer, _ = listening.accept()
                asked.append(1)
                threading.Thread(target=drip, args=(peer,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=listen, args=(listening,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/", asked
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.usefixtures("rested")
def test_an_answer_that_comes_byte_by_byte_is_cut_off_and_its_server_rests(
    working: Runtime, dripping: tuple[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = dripping
    monkeypatch.setattr(breached_passwords, "SECONDS", 0.2)
    monkeypatch.setattr(notice_probe, "SECONDS", 0.2)
    monkeypatch.setattr(working, "settings", replace(working.settings, leaked_passwords_url=url))
    began = time.monotonic()
    assert [breached_passwords.is_leaked("password"), breached_passwords.is_leaked("password")] == [False, False]
    assert len(asked) == 1, "The second password did not wait for a server that had just failed."
    with pytest.raises(OutOfTime):
        notice_probe._fetched(url)
    assert time.monotonic() - began < 5


@pytest.mark.usefixtures("working")
def test_the_name_servers_of_one_name_rest_and_those_of_another_are_asked(name_server: NameServer) -> None:
    name_server.failing = True
    for _ in range(2):
        with pytest.raises(dns.DnsAway):
            dns.texts_at("slow.example")
    asked = name_server.asked.count("slow.example")
    with pytest.raises(dns.DnsAway):
        dns.texts_at("slow.example")
    assert name_server.asked.count("slow.example") == asked
    name_server.failing = False
    assert dns.texts_at("other.example") == []


@pytest.mark.usefixtures("rested")
def test_rests_grow_and_one_success_ends_them(working: Runtime) -> None:
    breaker = CircuitBreaker("a test")
    waits = []
    for _ in range(6):
        breaker.record_failure()
        waits.append(round(breaker.seconds_to_wait(), -1))
    assert waits == [30, 60, 120, 240, 480, 600]
    assert CircuitBreaker("another").seconds_to_wait() == 0
    breaker.record_success()
    assert breaker.seconds_to_wait() == 0
    working.redis.close()
