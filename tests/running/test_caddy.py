"""What Caddy does with config/caddy beyond what both proxies do: certificates for customers' own domains (P7)."""

from __future__ import annotations

import re
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config.settings import Settings
from provisioning import domains
from provisioning.embedded.processes import wait_until
from provisioning.servers import connect_to_control
from tests.running.installation import (
    ACME,
    DOMAIN,
    STRANGER,
    Installation,
    ask,
    connect,
    program,
)
from tests.running.proxies import CADDYFILE, CUSTOMERS, Edge, caddy, listening

OWN = "crm.acme-industrial.com"


@pytest.fixture(scope="module")
def edge(behind: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with caddy(tmp_path_factory.mktemp("edge"), behind) as one:
        yield one


def prove(settings: Settings, host: str) -> None:
    """As if the DNS had said so; the DNS itself is played in tests/domains."""
    made = domains.add(settings, "acme", host)
    with connect_to_control(settings, autocommit=True) as control:
        control.execute("UPDATE domains SET verified_at = now() WHERE host = %s", (made.host,))
        control.execute(
            """WITH raised AS (UPDATE directory_state SET version = version + 1 RETURNING version)
               UPDATE tenants SET directory_version = raised.version FROM raised WHERE slug = 'acme'"""
        )


def trusting_caddys_own(edge: Edge) -> ssl.SSLContext:
    """The authority in place of the public one in these tests."""
    return ssl.create_default_context(cafile=str(edge.folder / "data/caddy/pki/authorities/local/root.crt"))


@pytest.mark.promise("P7")
def test_a_proved_domain_gets_a_certificate_at_its_first_visit_and_any_other_name_none(
    edge: Edge, behind: Installation
) -> None:
    client = trusting_caddys_own(edge)
    for host in (CUSTOMERS, "crm.other.example"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            client.wrap_socket(connect(edge.tls_port), server_hostname=host)
    prove(behind.settings, OWN)
    # Each of the web processes learns of it by itself, within half a second.
    assert wait_until(lambda: all(asked(behind, OWN) == 200 for _ in range(20)), seconds=20)
    page = ask(edge.tls_port, OWN, "/login", tls=client)
    assert page.status == 200
    assert "Acme Industrial" in page.text


def asked(behind: Installation, host: str) -> int:
    return ask(behind.port, f"127.0.0.1:{behind.port}", f"/internal/domains/ask?domain={host}").status


@pytest.mark.promise("P7")
def test_a_name_below_ours_that_is_nobodys_names_nobody(edge: Edge) -> None:
    unknown = edge.get(f"nobody.{DOMAIN}", "/login")
    assert unknown.status == 404
    assert "Acme" not in unknown.text
    assert edge.get(ACME, "/login", headers={"Host": "evil.example"}).status in (404, 421)


@pytest.mark.promise("P7")
def test_the_shipped_file_is_valid_as_it_stands_and_in_caddys_own_form() -> None:
    for command in (["adapt", "--config", str(CADDYFILE)], ["fmt", str(CADDYFILE)]):
        done = subprocess.run([program("caddy"), *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        if command[0] == "fmt":
            assert done.stdout == CADDYFILE.read_text()


@pytest.mark.promise("P7")
def test_what_a_client_claims_is_replaced_before_it_reaches_the_program(behind: Installation, tmp_path: Path) -> None:
    with listening() as (port, told), caddy(tmp_path, replace(behind, port=port)) as seen:
        claims = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "http", "X-Forwarded-Tls": "TLSv9"}
        underscored = {"X_Forwarded_For": "7.7.7.7", "X-Forwarded_For": "8.8.8.8", "x_forwarded-proto": "http"}
        claims |= underscored | {"Via": "1.1 x", "Forwarded": "for=6.6.6.6"}
        seen.get(ACME, headers=claims, source=STRANGER)
    request = next(text for text in told if "/internal/" not in text.partition("\r\n")[0])
    assert re.findall(r"(?im)^x.forwarded.for: *(.*)\r$", request) == [STRANGER]
    assert re.findall(r"(?im)^x.forwarded.proto: *(.*)\r$", request) == ["https"]
    assert re.findall(r"(?im)^x-forwarded-tls: *(.*)\r$", request) == ["tls1.3"]
    assert re.findall(r"(?im)^host: *(.*)\r$", request) == [ACME]
    assert not re.findall(r"(?im)^(via|forwarded|x-real-ip):", request)


START = f"POST /login HTTP/1.1\nHost: {ACME}\n"


@pytest.mark.parametrize(
    "request_text",
    [
        f"{START}Content-Length: 0\nContent-Length: 9\n\nsmuggled!",
        f"{START}Transfer-Encoding: chunked\nTransfer-Encoding: identity\n\n0\n\n",
        f"{START}Transfer-Encoding: xchunked\n\n0\n\n",
        f"{START}Content-Length : 9\n\nsmuggled!",
        f"{START}Content-Length: -1\n\n",
        f"{START}Host: console.{DOMAIN}\n\n",
        "POST /login HTTP/1.1\n\n",
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused(edge: Edge, request_text: str) -> None:
    received = edge.send(request_text)
    assert re.findall(rb"HTTP/1\.1 (\d{3})", received) in ([], [b"400"], [b"501"]), received


def test_of_two_ways_to_say_how_long_it_is_only_one_is_passed_on(behind: Installation, tmp_path: Path) -> None:
    """RFC 9112 6.3: the chunks count, and the other length must not be passed on."""
    with listening() as (port, told), caddy(tmp_path, replace(behind, port=port)) as seen:
        seen.send(f"{START}Content-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n")
    assert [text for text in told if re.search("(?im)^content-length: [1-9]", text)] == []


def test_a_request_that_is_too_large_is_refused(edge: Edge) -> None:
    assert edge.get(ACME, "/", headers={"X-Long": "x" * 200_000}).status == 431
    # Only begun: a server that closes while a client still sends may cost it the answer.
    headers = {"Content-Length": str(4 * 2**20), "Origin": f"https://{ACME}"}
    assert edge.get(ACME, "/login", method="POST", headers=headers, body="x" * 50_000).status == 413


@pytest.mark.promise("P7")
def test_the_host_in_an_absolute_target_counts_before_the_header(edge: Edge) -> None:
    """RFC 9112 3.2.2: an unknown name in the target is not served as Acme because a header says so."""
    received = edge.send(f"GET https://nobody.{DOMAIN}/login HTTP/1.1\nHost: {ACME}\nConnection: close\n\n")
    assert re.findall(rb"^HTTP/1\.1 (\d{3})", received) in ([b"404"], [b"421"], [b"400"]), received[:200]
    assert b"Acme" not in received
