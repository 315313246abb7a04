"""Two hundred requests that never end delay no other: asked alone, behind nginx and behind Caddy."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from config.web_server.limits import UPLOADS
from provisioning.create import create_tenant
from provisioning.embedded.processes import wait_until
from tests.running.installation import (
    ACME,
    DOMAIN,
    STRANGER,
    Installation,
    accept_invitation,
    ask,
    connect,
    program,
)
from tests.running.proxies import CADDYFILE, NGINX, Edge, caddy, nginx

UNFINISHED = f"POST /login HTTP/1.1\r\nHost: {ACME}\r\nX-Forwarded-Proto: https\r\nContent-Length: 1000\r\n\r\nemail="
MANY = 200


@pytest.fixture(scope="module")
def edges(behind: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Edge]]:
    with ExitStack() as fronts:
        yield {
            name: fronts.enter_context(start(tmp_path_factory.mktemp(name), behind))
            for name, start in (("nginx", nginx), ("caddy", caddy))
            if program(name)
        }


@pytest.fixture(scope="module")
def cookies(behind: Installation, edges: dict[str, Edge]) -> str:
    """What Alice's browser sends once she is signed in."""
    made = create_tenant(behind.settings, "held", "Held", "alice@held.example.com", admin_name="Alice")
    edge = edges["nginx"]
    host = f"held.{DOMAIN}"
    assert wait_until(lambda: edge.get(host, "/login").status == 200, seconds=10)
    path = "/" + str(made.invitation_url).partition("://")[2].partition("/")[2]
    set_cookies = accept_invitation(edge.tls_port, f"https://{host}", path, edge.authority.client())
    return "; ".join(each.partition(";")[0] for each in set_cookies)


@pytest.mark.parametrize("front", ["alone", "nginx", "caddy"])
def test_pages_are_answered_within_a_second(
    behind: Installation, edges: dict[str, Edge], cookies: str, front: str
) -> None:
    edge = edges["nginx" if front == "alone" else front]
    client = edge.authority.client()
    port = behind.port if front == "alone" else edge.tls_port
    source = STRANGER if front == "alone" else "127.0.0.1"
    host = f"held.{DOMAIN}"

    def seconds_for(path: str, **headers: str) -> float:
        began = time.monotonic()
        told = {"X-Forwarded-Proto": "https"} | headers if front == "alone" else headers
        page = ask(port, host, path, tls=None if front == "alone" else client, headers=told)
        assert page.status == 200, (page.status, page.text[:200])
        return time.monotonic() - began

    before = seconds_for("/", Cookie=cookies)
    with ExitStack() as held:
        for _ in range(MANY):
            held.enter_context(hold(port, source, None if front == "alone" else client))
        assert seconds_for("/healthz") < 1 + before
        assert seconds_for("/", Cookie=cookies) < 1 + before


def hold(port: int, source: str, client: ssl.SSLContext | None) -> socket.socket:
    opened = connect(port, source=source)
    taken = client.wrap_socket(opened, server_hostname=ACME) if client else opened
    taken.sendall(UNFINISHED.encode())
    return taken


def test_the_proxies_take_large_bodies_where_the_program_does() -> None:
    (of_nginx,) = re.findall(r"location ~ \^(/\(imports\S+)\$ \{", (NGINX / "served.conf").read_text())
    (of_caddy,) = re.findall(r"@uploads path_regexp \^(\S+)\$$", CADDYFILE.read_text(), re.MULTILINE)
    assert of_nginx == of_caddy == UPLOADS.pattern
