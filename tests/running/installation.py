"""An installation in production mode, as docs/operating.md sets one up: its own web process behind a real proxy."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlencode

import pytest
import trustme

from config import embedded
from config.keys import new_key_ring_json
from config.settings import Settings, load_settings
from provisioning.bootstrap import prepare_servers
from provisioning.create import create_tenant
from provisioning.embedded.processes import wait_until
from provisioning.preparation import answers
from tests.fixtures.page_checks import csrf_token_in
from tests.fixtures.ports import free_port
from tests.fixtures.servers import servers_at, throw_away_folder

ROOT = Path(__file__).parents[2]
DOMAIN = "crm.example.org"
SITE, CONSOLE, ACME = DOMAIN, f"console.{DOMAIN}", f"acme.{DOMAIN}"
# Loopback has many addresses: the proxy speaks from the first, a stranger from another one.
PROXY, STRANGER = "127.0.0.1", "127.0.0.9"
HSTS = "max-age=31536000; includeSubDomains"


def program(name: str) -> str:
    """The path of a Debian program. Without it the test is skipped, except where everything must be there."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        if os.environ.get("QIKBIZ_REQUIRE_EXTERNAL"):
            pytest.fail(f"{name} is not installed; .ci/run installs it.")
        pytest.skip(f"{name} is not installed.")
    return found


@dataclass(frozen=True)
class Installation:
    """A prepared home with Acme in it, and its web process on `port`."""

    settings: Settings
    port: int


@contextmanager
def installed() -> Iterator[Installation]:
    servers = servers_at(throw_away_folder("behind"))
    try:
        servers.start()
        environment = _environment(servers.home)
        settings = load_settings(environment)
        prepare_servers(settings)
        create_tenant(settings, "acme", "Acme Industrial", "alice@acme.example.com", admin_name="Alice")
        with running([sys.executable, "-m", "config.web_server"], environment):
            assert wait_until(lambda: answers(settings.port), seconds=60)
            yield Installation(settings, settings.port)
    finally:
        servers.discard()


def _environment(home: Path) -> dict[str, str]:
    return {
        "QIKBIZ_ENV": "production",
        "QIKBIZ_HOME": str(home),
        "QIKBIZ_BASE_DOMAIN": DOMAIN,
        "QIKBIZ_KEYS": new_key_ring_json(),
        "QIKBIZ_CONTROL_URL": embedded.control_url(home),
        "QIKBIZ_PROVISIONER_URL": embedded.provisioner_url(home),
        "QIKBIZ_REDIS_URL": embedded.redis_url(home),
        "QIKBIZ_SMTP_URL": "smtp+starttls://localhost",
        "QIKBIZ_TRUSTED_PROXIES": PROXY,
        "QIKBIZ_COMPANY_NAME": "Example CRM Ltd",
        "QIKBIZ_COMPANY_ADDRESS": "1 Example Street, Dublin 2, Ireland",
        "QIKBIZ_HOSTING": "Frankfurt, Germany",
        "QIKBIZ_SUBPROCESSORS": "none",
        "PORT": str(free_port()),
    }


@contextmanager
def running(command: list[str], environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("QIKBIZ_")}
    process = subprocess.Popen(command, env=inherited | dict(environment or {}), cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((PROXY, port)) == 0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class Authority:
    """A certificate authority of the test's own, and clients that trust it alone."""

    def __init__(self) -> None:
        self._authority = trustme.CA()

    def write_certificate(self, folder: Path, *names: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        issued = self._authority.issue_cert(*names)
        chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
        (folder / "fullchain.pem").write_bytes(chain)
        (folder / "privkey.pem").write_bytes(issued.private_key_pem.bytes())

    @cached_property
    def browser(self) -> ssl.SSLContext:
        """One client for many requests: making one takes longer than asking."""
        return self.client()

    def client(self, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        """What a browser would use, or something that speaks exactly one version, however old."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        if version is not None:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
        return context


def connect(port: int, *, source: str = PROXY) -> socket.socket:
    return socket.create_connection((PROXY, port), timeout=20, source_address=(source, 0))


def ask(
    port: int,
    host: str,
    path: str = "/",
    *,
    method: str = "GET",
    tls: ssl.SSLContext | None = None,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    source: str = PROXY,
) -> Answer:
    """One request to `port` of this machine under the name `host`, over TLS when `tls` is given."""
    connection = http.client.HTTPConnection(PROXY, port, timeout=20)
    opened = connect(port, source=source)
    connection.sock = tls.wrap_socket(opened, server_hostname=host.partition(":")[0]) if tls else opened
    try:
        # A server that refuses a large body answers, and closes, while it is still being sent.
        with suppress(ssl.SSLError, ConnectionError):
            connection.request(method, path, body=body, headers={"Host": host} | dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def accept_invitation(port: int, origin: str, path: str, tls: ssl.SSLContext) -> list[str]:
    """Choose a password as the invited administrator. Returns the cookies as they were set."""
    host = origin.removeprefix("https://")
    page = ask(port, host, path, tls=tls)
    visit = page.headers["Set-Cookie"].partition(";")[0]
    form = {"password": "correct horse battery staple", "name": "Alice", "csrf_token": csrf_token_in(page.text)}
    headers = {"Cookie": visit, "Origin": origin, "Content-Type": "application/x-www-form-urlencoded"}
    entered = ask(port, host, path, method="POST", body=urlencode(form), headers=headers, tls=tls)
    assert entered.status == 303, entered.text
    return entered.headers.get_all("Set-Cookie") or []


def send(port: int, host: str, request: bytes, tls: ssl.SSLContext) -> bytes:
    """Exactly these bytes, and everything that comes back until the other side closes or falls silent."""
    received = b""
    with tls.wrap_socket(connect(port), server_hostname=host) as opened:
        opened.sendall(request)
        opened.settimeout(3)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                piece = opened.recv(65536)
            except (TimeoutError, ssl.SSLError, ConnectionResetError):
                break
            if not piece:
                break
            received += piece
    return received
