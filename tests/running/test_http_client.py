"""The client for other servers: where a customer names the address, only public ones are asked, by https."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar

import pytest
import trustme

from qikbiz.kernel.deadline import Deadline, OutOfTime
from qikbiz.kernel.http_client import (
    LONGEST_ANSWER,
    OPERATORS_SERVICE,
    OWN_SITE,
    AddressRule,
    BadAddress,
    NotAnswered,
    check_address,
    fetch,
)
from qikbiz.kernel.public_addresses import may_be_asked

STRANGER = AddressRule()
PRIVATE = AddressRule(allows_private=True, allows_plain_loopback=True)


class Service(BaseHTTPRequestHandler):
    """A server, and a proxy too: `asked` holds the first line and the headers of each request."""

    asked: ClassVar[list[tuple[str, dict[str, str]]]]

    def do_GET(self) -> None:
        self.asked.append((self.requestline, dict(self.headers.items())))
        path = self.path.removeprefix("http://service.example")
        if path == "/drip":
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(b" ")
                    time.sleep(0.02)
        body = b"x" * (LONGEST_ANSWER + (path == "/long")) if path in ("/long", "/longest") else b"hello"
        self.send_response({"/moved": 302, "/missing": 404, "/around": 301}.get(path, 200))
        if path in ("/moved", "/around"):
            self.send_header("Location", {"/moved": "/there", "/around": "/around"}[path])
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def do_POST(self) -> None:
        self.asked.append((self.requestline, dict(self.headers.items())))
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(sent[::-1])

    def do_CONNECT(self) -> None:
        """Pass the bytes on to this machine, whatever the name."""
        self.asked.append((self.requestline, dict(self.headers.items())))
        port = int(self.path.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=pass_on, args=(there, self.connection), daemon=True)
            back.start()
            pass_on(self.connection, there)
            back.join()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def serving(tls: ssl.SSLContext | None = None) -> Iterator[type[Service]]:
    handler = type("OneService", (Service,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    handler.port = server.server_port  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield handler
    server.shutdown()
    server.server_close()


@pytest.fixture
def service() -> Iterator[type[Service]]:
    yield from serving()


@pytest.fixture
def proxy() -> Iterator[type[Service]]:
    yield from serving()


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[type[Service]]:
    """The same over TLS, under the names localhost and service.example."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "service.example").configure_cert(context)
    yield from serving(context)


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def at(service: type[Service], path: str = "/", *, scheme: str = "http", host: str = "127.0.0.1") -> str:
    return f"{scheme}://{host}:{service.port}{path}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.7.7", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
     "2002:7f00:1::", "2002:5db8:d822::", "64:ff9b::a9fe:a9fe", "64:ff9b:1::5db8:d822", "::127.0.0.1", "::10.0.0.1",
     "::ffff:0:10.0.0.1", "2001::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2001:2::1", "3fff::1", "5f00::1",
     "fec0::1", "100::1", "4000::1", "e000::1", "fc00::1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1"],
)  # fmt: skip
def test_only_public_addresses_are_asked(address: str) -> None:
    assert not may_be_asked(ip_address(address), allows_private=False)


def test_what_is_public_and_what_the_operator_allows() -> None:
    assert may_be_asked(ip_address("93.184.216.34"), allows_private=False)
    assert may_be_asked(ip_address("2606:2800:220:1::1"), allows_private=False)
    assert may_be_asked(ip_address("64:ff9b::5db8:d822"), allows_private=False)
    assert may_be_asked(ip_address("2a00:1450:4001:830::200e"), allows_private=False)
    assert may_be_asked(ip_address("10.1.2.3"), allows_private=True)
    assert may_be_asked(ip_address("fd00::1"), allows_private=True)
    assert may_be_asked(ip_address("::1"), allows_private=True)
    for never in ("fe80::1", "ff02::1", "::", "2001:db8::1", "fec0::1", "64:ff9b::a9fe:a9fe", "240.0.0.1"):
        assert not may_be_asked(ip_address(never), allows_private=True), never
    # Where clouds keep their keys: never.
    assert not may_be_asked(ip_address("169.254.169.254"), allows_private=True)
    assert not may_be_asked(ip_address("::ffff:169.254.169.254"), allows_private=True)


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://a.example/", "http://a.example/", "https://", "https://a:b@c.example/", "https://a.example/#x",
     "https://a.example:99999/", "https://a.example/ b", "https://a.example/\n", "https://[::1", "file:///etc/passwd",
     "//a.example", "https://a.example/" + "x" * 3_000, "https://münchen.example/"],
)  # fmt: skip
def test_addresses_that_no_customer_may_name(url: str) -> None:
    with pytest.raises(BadAddress):
        check_address(url, STRANGER)
    # The test server of developers is the one exception, which production never makes.
    assert check_address("http://localhost:8000/", AddressRule(allows_plain_loopback=True)).port == 8000


@pytest.mark.parametrize(
    "url", ["", "nonsense", "file:///etc/passwd", "ftp://service.example/", "http://a:b@c.example/"]
)
def test_an_operator_names_web_addresses_too(url: str) -> None:
    with pytest.raises(BadAddress):
        fetch(url, OPERATORS_SERVICE, Deadline(1))


def test_an_answer_is_given_whole_with_its_status_and_headers(service: type[Service]) -> None:
    for rule in (PRIVATE, OPERATORS_SERVICE, OWN_SITE):
        answer = fetch(at(service, "/a?b=c"), rule, Deadline(5), headers={"Accept": "text/plain"})
        assert (answer.status, answer.body) == (200, b"hello")
        assert "Date" in answer.headers
        line, sent = service.asked[-1]
        assert line == "GET /a?b=c HTTP/1.1"
        assert (sent["Accept"], sent["User-Agent"]) == ("text/plain", "QikBiz")
    posted = fetch(at(service), PRIVATE, Deadline(5), method="POST", body="abc")
    assert posted.body == b"cba"


def test_a_name_that_leads_into_a_private_network_is_not_connected_to(
    service: type[Service], secure: type[Service]
) -> None:
    with pytest.raises(NotAnswered, match="inside a private network"):
        fetch(at(secure, scheme="https", host="localhost"), STRANGER, Deadline(5))
    with pytest.raises(BadAddress):
        fetch(at(service), STRANGER, Deadline(5))
    assert service.asked == secure.asked == []


def test_a_name_one_of_whose_addresses_is_private_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: places)
    monkeypatch.setattr(socket, "create_connection", lambda *_args, **_more: pytest.fail("It was connected to."))
    with pytest.raises(NotAnswered, match="inside a private network"):
        fetch("https://both.example/", STRANGER, Deadline(5))


def test_a_certificate_of_nobody_known_is_refused(secure: type[Service]) -> None:
    for rule in (AddressRule(allows_private=True), OPERATORS_SERVICE, OWN_SITE):
        with pytest.raises(NotAnswered, match="certificate"):
            fetch(at(secure, scheme="https", host="localhost"), rule, Deadline(5))


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name_is_refused(secure: type[Service]) -> None:
    rule = AddressRule(allows_private=True)
    assert fetch(at(secure, scheme="https", host="localhost"), rule, Deadline(5)).body == b"hello"
    with pytest.raises(NotAnswered, match="certificate"):
        fetch(at(secure, scheme="https"), rule, Deadline(5))


def test_an_answer_that_is_too_long_or_has_another_status_is_none(service: type[Service]) -> None:
    assert len(fetch(at(service, "/longest"), PRIVATE, Deadline(5)).body) == LONGEST_ANSWER
    with pytest.raises(NotAnswered, match="too long"):
        fetch(at(service, "/long"), PRIVATE, Deadline(5))
    with pytest.raises(NotAnswered, match="status 404"):
        fetch(at(service, "/missing"), PRIVATE, Deadline(5))
    assert fetch(at(service, "/missing"), PRIVATE, Deadline(5), accepts=None).status == 404


def test_an_answer_that_comes_byte_by_byte_is_cut_off(service: type[Service]) -> None:
    began = time.monotonic()
    with pytest.raises(OutOfTime):
        fetch(at(service, "/drip"), PRIVATE, Deadline(0.3))
    assert time.monotonic() - began < 3


def test_redirects_are_followed_only_on_request_and_only_where_the_operator_named_the_address(
    service: type[Service],
) -> None:
    assert fetch(at(service, "/moved"), OWN_SITE, Deadline(5), redirects=1).body == b"hello"
    assert service.asked[-1][0] == "GET /there HTTP/1.1"
    for rule, redirects in ((OWN_SITE, 0), (PRIVATE, 5)):
        with pytest.raises(NotAnswered, match="status 302"):
            fetch(at(service, "/moved"), rule, Deadline(5), redirects=redirects)
    before = len(service.asked)
    with pytest.raises(NotAnswered, match="status 301"):
        fetch(at(service, "/around"), OWN_SITE, Deadline(5), redirects=3)
    assert len(service.asked) - before == 4


def test_a_customer_is_not_told_why_a_server_of_a_private_network_is_out_of_reach() -> None:
    with pytest.raises(NotAnswered, match=r"^It can't be reached\.$"):
        fetch("http://127.0.0.1:1/", PRIVATE, Deadline(5))
    with pytest.raises(NotAnswered, match="refused"):
        fetch("http://127.0.0.1:1/", OWN_SITE, Deadline(5))


@pytest.mark.usefixtures("trusted")
def test_an_operators_service_is_asked_through_the_proxy_and_nothing_else_is(
    proxy: type[Service], service: type[Service], secure: type[Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, at(proxy, "").replace("http://", "http://ann:p%40ss@"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert fetch("http://service.example/a?b=c", OPERATORS_SERVICE, Deadline(5)).body == b"hello"
    line, sent = proxy.asked[-1]
    assert line == "GET http://service.example/a?b=c HTTP/1.1"
    assert (sent["Host"], sent["Proxy-Authorization"]) == ("service.example", "Basic YW5uOnBAc3M=")
    through = fetch(at(secure, scheme="https", host="service.example"), OPERATORS_SERVICE, Deadline(5))
    assert through.body == b"hello"
    assert proxy.asked[-1][0].startswith("CONNECT service.example:")
    # The server itself is not told the login of the proxy.
    assert "Proxy-Authorization" not in secure.asked[-1][1]
    before = len(proxy.asked)
    assert fetch(at(service), OPERATORS_SERVICE, Deadline(5)).body == b"hello"
    monkeypatch.delenv("no_proxy")
    for rule in (OWN_SITE, PRIVATE):
        assert fetch(at(service), rule, Deadline(5)).body == b"hello"
    assert len(proxy.asked) == before
