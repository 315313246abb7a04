"""What nginx does with config/nginx beyond what both proxies do (test_proxies.py): unknown names, proofs, headers."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.running.installation import (
    ACME,
    DOMAIN,
    STRANGER,
    Installation,
    connect,
)
from tests.running.proxies import Edge, listening, nginx

SMUGGLED = "GET /healthz HTTP/1.1\nHost: acme.crm.example.org\n\n"
START = f"POST /login HTTP/1.1\nHost: {ACME}\n"


@pytest.fixture(scope="module")
def edge(behind: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with nginx(tmp_path_factory.mktemp("edge"), behind) as one:
        yield one


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_the_client_of_these_tests_could_speak_the_old_versions(behind: Installation, tmp_path: Path) -> None:
    """Otherwise the test above would hold for any configuration."""

    def weaken(text: str) -> str:
        text = re.sub(r"ssl_protocols .*;", "ssl_protocols TLSv1 TLSv1.1;", text)
        return re.sub(r"ssl_ciphers .*;", "ssl_ciphers ALL:@SECLEVEL=0;", text)

    with nginx(tmp_path, behind, weaken) as weak:
        assert weak.handshake(ssl.TLSVersion.TLSv1_1) == "TLSv1.1"


@pytest.mark.promise("P7")
def test_an_authority_finds_its_proof_in_the_clear(edge: Edge) -> None:
    assert edge.plain(ACME, "/.well-known/acme-challenge/token").text == "proof"
    assert edge.plain(ACME, "/.well-known/acme-challenge/other").status == 404


@pytest.mark.promise("P7")
@pytest.mark.parametrize("host", ["evil.example", "crm.example.org.evil.example", "localhost"])
def test_a_name_that_nobody_set_up_gets_no_certificate_and_no_answer(edge: Edge, host: str) -> None:
    client = edge.authority.client()
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    with pytest.raises((ssl.SSLError, ConnectionError)):
        client.wrap_socket(connect(edge.tls_port), server_hostname=host)
    with pytest.raises((ConnectionError, OSError)):
        edge.plain(host)


@pytest.mark.promise("P7")
def test_another_name_behind_a_good_one_is_not_served(edge: Edge) -> None:
    assert edge.get(ACME, headers={"Host": "evil.example"}).status == 421
    unknown = edge.get(f"nobody.{DOMAIN}", "/login")
    assert unknown.status == 404
    assert "Acme" not in unknown.text
    assert edge.get(ACME, "/login", headers={"Host": f"acme.acme.{DOMAIN}"}).status == 404


@pytest.mark.promise("P7")
def test_a_customers_own_domain_has_a_certificate_of_its_own(edge: Edge) -> None:
    # It was never proved to be Acme's, so the program does not serve it.
    assert edge.get("crm.acme.example", "/login").status == 404
    assert edge.plain("crm.acme.example", "/login").headers["Location"] == "https://crm.acme.example/login"


def test_the_address_that_counts_is_the_connections_own(edge: Edge, tmp_path: Path) -> None:
    """What the program receives behind the proxy, not what the client claimed."""
    with listening() as (port, told), nginx(tmp_path, replace(edge.behind, port=port)) as seen:
        claims = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "http", "X-Forwarded-Tls": "TLSv9"}
        seen.get(
            ACME,
            headers=claims | {"X_Forwarded_For": "7.7.7.7", "X-Forwarded_Proto": "http", "Via": "1.1 x"},
            source=STRANGER,
        )
    (request,) = told
    assert re.findall(r"(?im)^x.forwarded.for: *(.*)\r$", request) == [STRANGER]
    assert re.findall(r"(?im)^x.forwarded.proto: *(.*)\r$", request) == ["https"]
    assert re.findall(r"(?im)^x-forwarded-tls: *(.*)\r$", request) == ["TLSv1.3"]
    assert re.findall(r"(?im)^host: *(.*)\r$", request) == [ACME]
    assert not re.findall(r"(?im)^(via|forwarded|x-real-ip|x-forwarded-host):", request)


@pytest.mark.parametrize(
    "request_text",
    [
        f"{START}Content-Length: 0\nContent-Length: {len(SMUGGLED)}\n\n{SMUGGLED}",
        f"{START}Content-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n{SMUGGLED}",
        f"{START}Transfer-Encoding: chunked\nTransfer-Encoding: identity\n\n0\n\n{SMUGGLED}",
        f"{START}Transfer-Encoding: xchunked\n\n0\n\n{SMUGGLED}",
        f"{START}Content-Length : {len(SMUGGLED)}\n\n{SMUGGLED}",
        f"{START}Content-Length: -1\n\n{SMUGGLED}",
        f"{START}Content-Length: +5\n\n{SMUGGLED}",
        f"{START}Transfer-Encoding: chunked\n\nZZ\n{SMUGGLED}",
        f"{START}Host: console.{DOMAIN}\n\n{SMUGGLED}",
        "POST /login HTTP/1.1\n\n" + SMUGGLED,
        f"CONNECT {ACME}:443 HTTP/1.1\nHost: {ACME}\n\n{SMUGGLED}",
        f"TRACE / HTTP/1.1\nHost: {ACME}\n\n{SMUGGLED}",
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused_and_the_connection_closed(
    edge: Edge, request_text: str
) -> None:
    received = edge.send(request_text)
    statuses = re.findall(rb"HTTP/1\.1 (\d{3})", received)
    assert len(statuses) <= 1, received
    assert statuses in ([], [b"400"], [b"405"], [b"501"])
    assert b'"ok"' not in received


def test_a_request_that_is_too_large_is_refused_before_the_program_sees_it(edge: Edge) -> None:
    headers = {"Content-Length": str(4 * 2**20), "Origin": f"https://{ACME}"}
    assert edge.get(ACME, "/login", method="POST", headers=headers).status == 413
    assert edge.get(ACME, "/", headers={"X-Long": "x" * 70_000}).status in (400, 431, 494)


@pytest.mark.promise("P7")
def test_the_host_in_an_absolute_target_counts_before_the_header(edge: Edge) -> None:
    """RFC 9112 3.2.2: an unknown name in the target is not served as Acme because a header says so."""
    received = edge.send(f"GET https://nobody.{DOMAIN}/login HTTP/1.1\nHost: {ACME}\nConnection: close\n\n")
    assert re.findall(rb"^HTTP/1\.1 (\d{3})", received) in ([b"404"], [b"421"], [b"400"]), received[:200]
    assert b"Acme" not in received
