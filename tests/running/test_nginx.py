"""Real nginx with the configuration in config/nginx, in front of a real web process in production mode (P7)."""

from __future__ import annotations

import re
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from provisioning.embedded.processes import wait_until
from tests.running.installation import (
    ACME,
    CONSOLE,
    DOMAIN,
    HSTS,
    ROOT,
    SITE,
    STRANGER,
    Answer,
    Authority,
    Installation,
    accept_invitation,
    ask,
    connect,
    free_port,
    installed,
    listens,
    program,
    running,
    send,
)

pytestmark = pytest.mark.promise("P7")
SHIPPED = ROOT / "config" / "nginx"
# With what Debian's own nginx.conf says beside.
MAIN = """
{user}daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 256; }}
http {{
    access_log off; sendfile on; tcp_nopush on; types_hash_max_size 2048; default_type application/octet-stream;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on; gzip on;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/conf.d/*.conf;
}}
"""
FORBIDDEN_OVER_PLAIN = [
    ("GET", "/api/contacts", {}),
    ("GET", "/api", {}),
    ("GET", "/contacts.csv", {}),
    ("GET", "/imports/0199/refused.csv?x=1", {}),
    ("GET", "/exports/0199/file", {}),
    ("GET", "/exports/0199/download", {}),
    ("GET", "/contacts", {"Accept": "application/json"}),
    ("GET", "/contacts", {"Accept": "application/problem+json"}),
    ("POST", "/login", {}),
    ("PUT", "/contacts", {}),
    ("DELETE", "/contacts", {}),
    ("OPTIONS", "/", {}),
]


@dataclass(frozen=True)
class Edge:
    """nginx in front of `behind`."""

    plain_port: int
    tls_port: int
    authority: Authority
    behind: Installation
    folder: Path

    def get(self, host: str, path: str = "/", **options: object) -> Answer:
        return ask(self.tls_port, host, path, tls=self.authority.client(), **options)  # type: ignore[arg-type]

    def plain(self, host: str, path: str = "/", **options: object) -> Answer:
        return ask(self.plain_port, host, path, **options)  # type: ignore[arg-type]

    def send(self, request: str) -> bytes:
        return send(self.tls_port, ACME, request.replace("\n", "\r\n").encode(), self.authority.client())

    def handshake(self, version: ssl.TLSVersion, host: str = ACME) -> str | None:
        with self.authority.client(version).wrap_socket(connect(self.tls_port), server_hostname=host) as opened:
            return opened.version()


def configuration(folder: Path, behind: Installation, *, plain_port: int, tls_port: int) -> Callable[[str], str]:
    """What puts a shipped file into `folder`: ports and paths are changed, and nothing else."""
    changes = {
        "listen 80": f"listen 127.0.0.1:{plain_port}",
        "listen 443": f"listen 127.0.0.1:{tls_port}",
        "server 127.0.0.1:8000": f"server 127.0.0.1:{behind.port}",
        "/etc/nginx/qikbiz/": f"{folder}/qikbiz/",
        "/etc/qikbiz/tls/": f"{folder}/tls/",
        "/etc/letsencrypt/live/crm.acme.example/": f"{folder}/domain/",
        "/var/www/qikbiz-acme": f"{folder}/acme",
        "/opt/qikbiz/": f"{ROOT}/",
    }

    def place(text: str) -> str:
        text = re.sub(r"(?m)^ *listen \[::\]:.*\n", "", text)
        for shipped, here in changes.items():
            text = text.replace(shipped, here)
        return text

    return place


@contextmanager
def nginx(folder: Path, behind: Installation, change: Callable[[str], str] = str) -> Iterator[Edge]:
    edge = Edge(free_port(), free_port(), Authority(), behind, folder)
    edge.authority.write_certificate(folder / "tls", DOMAIN, f"*.{DOMAIN}")
    edge.authority.write_certificate(folder / "domain", "crm.acme.example")
    (folder / "acme/.well-known/acme-challenge").mkdir(parents=True)
    (folder / "acme/.well-known/acme-challenge/token").write_text("proof")
    place = configuration(folder, behind, plain_port=edge.plain_port, tls_port=edge.tls_port)
    for name, target in (
        ("qikbiz.conf", "conf.d"),
        ("domain.conf", "conf.d"),
        ("plain.conf", "qikbiz"),
        ("tls.conf", "qikbiz"),
        ("served.conf", "qikbiz"),
    ):
        (folder / target).mkdir(exist_ok=True)
        (folder / target / name).write_text(change(place((SHIPPED / name).read_text())))
    is_root = subprocess.run(["id", "-u"], capture_output=True, check=True).stdout.strip() == b"0"
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user="user root; " if is_root else ""))
    command = [program("nginx"), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr
    with running(command):
        assert wait_until(lambda: listens(edge.tls_port), seconds=15)
        yield edge


@pytest.fixture(scope="module")
def behind() -> Iterator[Installation]:
    program("nginx")
    with installed() as one:
        yield one


@pytest.fixture(scope="module")
def edge(behind: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with nginx(tmp_path_factory.mktemp("edge"), behind) as one:
        yield one


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(edge: Edge, version: ssl.TLSVersion) -> None:
    assert edge.handshake(version) == version.name.replace("_", ".")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(edge: Edge, version: ssl.TLSVersion) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        edge.handshake(version)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_the_client_of_these_tests_could_speak_the_old_versions(behind: Installation, tmp_path: Path) -> None:
    """Otherwise the test above would hold for any configuration."""

    def weaken(text: str) -> str:
        text = re.sub(r"ssl_protocols .*;", "ssl_protocols TLSv1 TLSv1.1;", text)
        return re.sub(r"ssl_ciphers .*;", "ssl_ciphers ALL:@SECLEVEL=0;", text)

    with nginx(tmp_path, behind, weaken) as weak:
        assert weak.handshake(ssl.TLSVersion.TLSv1_1) == "TLSv1.1"


def test_only_ciphers_with_forward_secrecy_and_authentication_are_taken(edge: Edge) -> None:
    client = edge.authority.client()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("AES128-SHA:AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        client.wrap_socket(connect(edge.tls_port), server_hostname=ACME)


def test_browsers_are_offered_http_2(edge: Edge) -> None:
    client = edge.authority.client()
    client.set_alpn_protocols(["h2", "http/1.1"])
    with client.wrap_socket(connect(edge.tls_port), server_hostname=ACME) as opened:
        assert opened.selected_alpn_protocol() == "h2"


@pytest.mark.parametrize("host", [SITE, CONSOLE, ACME])
def test_site_console_and_tenant_answer_under_one_certificate_and_say_to_stay(edge: Edge, host: str) -> None:
    page = edge.get(host, "/login" if host != SITE else "/")
    assert page.status == 200
    assert page.headers.get_all("Strict-Transport-Security") == [HSTS]


def test_every_200_says_to_stay_with_tls_the_pages_files_too(edge: Edge) -> None:
    page = edge.get(ACME, "/login")
    files = re.findall(r'(?:href|src)="(/static/[^"#]+)', page.text)
    assert len(files) >= 2
    for path in [*files, "/robots.txt", "/.well-known/security.txt", "/healthz"]:
        answer = edge.get(ACME, path)
        assert (answer.status, path) == (200, path)
        assert answer.headers.get_all("Strict-Transport-Security") == [HSTS], path


def test_the_pages_files_come_from_nginx_as_the_program_would_send_them(edge: Edge) -> None:
    path = re.findall(r'href="(/static/[^"#]+\.css)', edge.get(ACME, "/login").text)[0]
    ours = edge.get(ACME, path)
    programs = ask(edge.behind.port, ACME, path, headers={"X-Forwarded-Proto": "https"})
    assert ours.body == programs.body
    for name in ("Content-Type", "Cache-Control", "X-Content-Type-Options", "Cross-Origin-Resource-Policy", "Vary"):
        assert ours.headers[name] == programs.headers[name], name
    assert edge.get(ACME, path, headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    assert edge.get(ACME, "/static/manifest.json").status == 404


def test_an_administrator_accepts_the_invitation_and_works_over_tls(edge: Edge) -> None:
    path = "/" + edge.behind.invitation.split("/", 3)[3]
    cookies = accept_invitation(edge.tls_port, f"https://{ACME}", path, edge.authority.client())
    assert cookies
    assert all("; Secure" in cookie and cookie.startswith("__Host-") for cookie in cookies)
    session = "; ".join(cookie.partition(";")[0] for cookie in cookies)
    home = edge.get(ACME, "/contacts", headers={"Cookie": session})
    assert home.status == 200
    assert "Contacts" in home.text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/", "/login", "/contacts?q=ann&page=2", "/privacy", "/exports/", "/settings/domains"]
)
def test_a_page_asked_for_in_the_clear_is_redirected(edge: Edge, method: str, path: str) -> None:
    answer = edge.plain(ACME, path, method=method, headers={"Accept": "text/html,*/*", "Cookie": "__Host-x=1"})
    assert answer.status == 308
    assert answer.headers["Location"] == f"https://{ACME}{path}"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(("method", "path", "headers"), FORBIDDEN_OVER_PLAIN)
def test_programs_and_downloads_in_the_clear_are_refused_and_never_redirected(
    edge: Edge, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = edge.plain(ACME, path, method=method, headers=headers)
    assert answer.status == 403
    assert "Location" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert "over TLS only" in answer.text


def test_an_authority_finds_its_proof_in_the_clear(edge: Edge) -> None:
    assert edge.plain(ACME, "/.well-known/acme-challenge/token").text == "proof"
    assert edge.plain(ACME, "/.well-known/acme-challenge/other").status == 404


@pytest.mark.parametrize("host", ["evil.example", "crm.example.org.evil.example", "localhost"])
def test_a_name_that_nobody_set_up_gets_no_certificate_and_no_answer(edge: Edge, host: str) -> None:
    client = edge.authority.client()
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    with pytest.raises((ssl.SSLError, ConnectionError)):
        client.wrap_socket(connect(edge.tls_port), server_hostname=host)
    with pytest.raises((ConnectionError, OSError)):
        edge.plain(host)


def test_another_name_behind_a_good_one_is_not_served(edge: Edge) -> None:
    assert edge.get(ACME, headers={"Host": "evil.example"}).status == 421
    unknown = edge.get(f"nobody.{DOMAIN}", "/login")
    assert unknown.status == 404
    assert "Acme" not in unknown.text
    assert edge.get(ACME, "/login", headers={"Host": f"acme.acme.{DOMAIN}"}).status == 404


def test_a_customers_own_domain_has_a_certificate_of_its_own(edge: Edge) -> None:
    # Nobody proved that it is Acme's, so the program knows nothing of it.
    assert edge.get("crm.acme.example", "/login").status == 404
    assert edge.plain("crm.acme.example", "/login").headers["Location"] == "https://crm.acme.example/login"


@pytest.mark.parametrize(
    "claims",
    [
        {"X-Forwarded-For": "6.6.6.6"},
        {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1;proto=http"},
        {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "console.crm.example.org", "X-Forwarded-Port": "80"},
    ],
)
def test_what_a_client_claims_about_itself_does_not_reach_the_program(edge: Edge, claims: dict[str, str]) -> None:
    # Figures are for neighbours; whoever comes through the proxy is none, whatever it claims to be.
    for path in ("/metrics", "/readyz", "/internal/domains/ask?domain=acme.crm.example.org"):
        assert edge.get(ACME, path, headers=claims).status == 404
    page = edge.get(ACME, "/login", headers=claims)
    assert page.status == 200
    assert "Acme" in page.text


def test_the_address_that_counts_is_the_connections_own(edge: Edge, tmp_path: Path) -> None:
    """Seen from behind: what the program is told, whatever was claimed."""
    with listening() as (port, told), nginx(tmp_path, replace(edge.behind, port=port)) as seen:
        claims = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "http", "X-Forwarded-Tls": "TLSv9"}
        seen.get(ACME, headers=claims | {"X_Forwarded_For": "7.7.7.7", "Via": "1.1 x"}, source=STRANGER)
    (request,) = told
    assert re.findall(r"(?im)^x.forwarded.for: *(.*)\r$", request) == [STRANGER]
    assert re.findall(r"(?im)^x-forwarded-proto: *(.*)\r$", request) == ["https"]
    assert re.findall(r"(?im)^x-forwarded-tls: *(.*)\r$", request) == ["TLSv1.3"]
    assert re.findall(r"(?im)^host: *(.*)\r$", request) == [ACME]
    assert not re.findall(r"(?im)^(via|forwarded|x-real-ip|x-forwarded-host):", request)


@pytest.mark.parametrize("claim", ["https", "HTTPS", "http", ""])
@pytest.mark.parametrize("path", ["/", "/login", "/static/app.css", "/healthz", "/metrics"])
def test_asked_directly_by_anybody_but_the_proxy_the_program_refuses(edge: Edge, path: str, claim: str) -> None:
    headers = {"X-Forwarded-Proto": claim, "X-Forwarded-For": "127.0.0.1"}
    answer = ask(edge.behind.port, ACME, path, headers=headers, source=STRANGER)
    assert answer.status == 403
    assert "over TLS only" in answer.text
    assert "Set-Cookie" not in answer.headers
    assert "Location" not in answer.headers


def test_the_proxy_itself_must_say_that_it_was_tls(edge: Edge) -> None:
    assert ask(edge.behind.port, ACME, "/login").status == 403
    assert ask(edge.behind.port, ACME, "/login", headers={"X-Forwarded-Proto": "http"}).status == 403
    assert ask(edge.behind.port, ACME, "/login", headers={"X-Forwarded-Proto": "https"}).status == 200
    assert ask(edge.behind.port, ACME, "/healthz").status == 200


SMUGGLED = "GET /healthz HTTP/1.1\nHost: acme.crm.example.org\n\n"
START = f"POST /login HTTP/1.1\nHost: {ACME}\n"


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


@contextmanager
def listening() -> Iterator[tuple[int, list[str]]]:
    """A server that keeps what it is asked, word for word, and answers each with a short page."""
    told: list[str] = []

    class Keeper(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            text = b""
            while b"\r\n\r\n" not in text:
                text += self.request.recv(65536)
            told.append(text.decode())
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Keeper) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], told
        server.shutdown()
