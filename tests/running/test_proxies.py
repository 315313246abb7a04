"""What both shipped proxies do, tried on the real programs in front of a real web process in production mode (P7)."""

from __future__ import annotations

import gzip
import re
import ssl
from collections.abc import Iterator

import pytest

from provisioning.create import create_tenant
from provisioning.embedded.processes import wait_until
from qikbiz.app.request_pipeline import QikBiz
from tests.fixtures.page_checks import refused_over_plain_http
from tests.running.installation import (
    ACME,
    CONSOLE,
    HSTS,
    SITE,
    STRANGER,
    Installation,
    accept_invitation,
    ask,
    connect,
)
from tests.running.proxies import CADDYFILE, NGINX, Edge, caddy, nginx

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


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def edge(
    request: pytest.FixtureRequest, behind: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Edge]:
    with request.param(tmp_path_factory.mktemp("edge"), behind) as one:
        yield one


@pytest.mark.promise("P7")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(edge: Edge, version: ssl.TLSVersion) -> None:
    assert edge.handshake(version) == version.name.replace("_", ".")


@pytest.mark.promise("P7")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(edge: Edge, version: ssl.TLSVersion) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        edge.handshake(version)


@pytest.mark.promise("P7")
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


@pytest.mark.promise("P7")
@pytest.mark.parametrize("host", [SITE, CONSOLE, ACME])
def test_site_console_and_tenant_answer_under_one_certificate_and_say_to_stay(edge: Edge, host: str) -> None:
    page = edge.get(host, "/login" if host != SITE else "/")
    assert page.status == 200
    assert page.headers.get_all("Strict-Transport-Security") == [HSTS]


@pytest.mark.promise("P7")
def test_every_200_says_to_stay_with_tls_the_pages_files_too(edge: Edge) -> None:
    page = edge.get(ACME, "/login")
    files = re.findall(r'(?:href|src)="(/static/[^"#]+)', page.text)
    assert len(files) >= 2
    for path in [*files, "/robots.txt", "/.well-known/security.txt", "/healthz"]:
        answer = edge.get(ACME, path)
        assert (answer.status, path) == (200, path)
        assert answer.headers.get_all("Strict-Transport-Security") == [HSTS], path


def test_the_pages_files_come_from_the_proxy_as_the_program_would_send_them(edge: Edge) -> None:
    path = re.findall(r'href="(/static/[^"#]+\.css)', edge.get(ACME, "/login").text)[0]
    ours = edge.get(ACME, path)
    programs = ask(edge.behind.port, ACME, path, headers={"X-Forwarded-Proto": "https"})
    assert ours.body == programs.body
    for name in ("Content-Type", "Cache-Control", "X-Content-Type-Options", "Cross-Origin-Resource-Policy", "Vary"):
        assert ours.headers[name] == programs.headers[name], name
    assert edge.get(ACME, path, headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    assert edge.get(ACME, "/static/manifest.json").status == 404


def test_pages_reach_the_browser_compressed_and_whole(edge: Edge) -> None:
    plain = edge.get(SITE, "/promises")
    assert "Content-Encoding" not in plain.headers
    packed = edge.get(SITE, "/promises", headers={"Accept-Encoding": "gzip, br, zstd"})
    assert packed.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.body) < len(plain.body) / 3
    assert gzip.decompress(packed.body).endswith(plain.body[-200:])
    # Where another site had a hand in it a tenant's page keeps its own length: the proxy does not compress it either.
    seen = edge.get(ACME, "/login", headers={"Accept-Encoding": "gzip, br, zstd", "Sec-Fetch-Site": "cross-site"})
    assert seen.status == 200 and "Content-Encoding" not in seen.headers


@pytest.mark.promise("P7")
def test_an_administrator_accepts_the_invitation_and_works_over_tls(edge: Edge) -> None:
    made = create_tenant(edge.behind.settings, f"org-{edge.tls_port}", "Initech", "ann@initech.example.com")
    host, _, path = made.invitation_url.removeprefix("https://").partition("/")
    # Each of the web processes learns of the new name by itself, within half a second.
    assert wait_until(lambda: all(edge.get(host, "/login").status == 200 for _ in range(10)), seconds=20)
    cookies = accept_invitation(edge.tls_port, f"https://{host}", f"/{path}", edge.authority.client())
    assert cookies
    assert all("; Secure" in cookie and cookie.startswith("__Host-") for cookie in cookies)
    session = "; ".join(cookie.partition(";")[0] for cookie in cookies)
    home = edge.get(host, "/contacts", headers={"Cookie": session})
    assert home.status == 200
    assert "Contacts" in home.text


@pytest.mark.promise("P7")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/", "/login", "/contacts?q=ann&page=2", "/privacy", "/exports/", "/settings/domains"]
)
def test_a_page_asked_for_in_the_clear_is_redirected(edge: Edge, method: str, path: str) -> None:
    answer = edge.plain(ACME, path, method=method, headers={"Accept": "text/html,*/*", "Cookie": "__Host-x=1"})
    assert answer.status == 308
    assert answer.headers["Location"] == f"https://{ACME}{path}"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.promise("P7")
@pytest.mark.parametrize(("method", "path", "headers"), FORBIDDEN_OVER_PLAIN)
def test_programs_and_downloads_in_the_clear_are_refused_and_never_redirected(
    edge: Edge, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = edge.plain(ACME, path, method=method, headers=headers)
    assert answer.status == 403
    assert "Location" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert "over TLS only" in answer.text


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    "claims",
    [
        {"X-Forwarded-For": "6.6.6.6"},
        {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1;proto=http"},
        {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "console.crm.example.org", "X-Forwarded-Port": "80"},
    ],
)
def test_what_a_client_claims_about_itself_does_not_reach_the_program(edge: Edge, claims: dict[str, str]) -> None:
    # Metrics are for this machine; a request through the proxy comes from outside, also if it claims otherwise.
    for path in ("/metrics", "/readyz", "/internal/domains/ask?domain=acme.crm.example.org"):
        assert edge.get(ACME, path, headers=claims).status == 404
    page = edge.get(ACME, "/login", headers=claims)
    assert page.status == 200
    assert "Acme" in page.text


@pytest.mark.promise("P7")
@pytest.mark.parametrize("claim", ["https", "HTTPS", "http", ""])
@pytest.mark.parametrize("path", ["/", "/login", "/static/app.css", "/healthz", "/metrics"])
def test_asked_directly_by_anybody_but_the_proxy_the_program_refuses(edge: Edge, path: str, claim: str) -> None:
    headers = {"X-Forwarded-Proto": claim, "X-Forwarded-For": "127.0.0.1"}
    answer = ask(edge.behind.port, ACME, path, headers=headers, source=STRANGER)
    assert answer.status == 403
    assert "over TLS only" in answer.text
    assert "Set-Cookie" not in answer.headers
    assert "Location" not in answer.headers


@pytest.mark.promise("P7")
def test_the_proxy_itself_must_say_that_it_was_tls(edge: Edge) -> None:
    assert ask(edge.behind.port, ACME, "/login").status == 403
    assert ask(edge.behind.port, ACME, "/login", headers={"X-Forwarded-Proto": "http"}).status == 403
    assert ask(edge.behind.port, ACME, "/login", headers={"X-Forwarded-Proto": "https"}).status == 200
    assert ask(edge.behind.port, ACME, "/healthz").status == 200


def test_both_proxies_tell_downloads_and_uploads_by_the_same_paths() -> None:
    of_caddy = re.findall(r"(?m)^\t\tnot path_regexp (.+)$", CADDYFILE.read_text())
    assert [f"^(GET|HEAD) {pattern.removeprefix('^')}" for pattern in of_caddy[1:]] == list(
        refused_over_plain_http()[1:]
    )
    assert refused_over_plain_http()[0] == f"^(GET|HEAD) [^?]*{of_caddy[0]}"
    (of_nginx,) = re.findall(r"(?m)^location ~ (\^/\(imports.*) \{$", (NGINX / "served.conf").read_text())
    assert f"@uploads path_regexp {of_nginx}\n" in CADDYFILE.read_text()


@pytest.mark.parametrize(
    ("endpoint", "values"), [("imports.create", {}), ("console.import_for_tenant", {"slug": "acme"})]
)
def test_files_for_an_import_may_be_large_where_they_are_sent(
    app: QikBiz, endpoint: str, values: dict[str, str]
) -> None:
    (rule,) = [rule for rule in app.url_map.iter_rules(endpoint) if "POST" in (rule.methods or ())]
    (pattern,) = re.findall(r"(?m)^location ~ (\^/\(imports.*) \{$", (NGINX / "served.conf").read_text())
    _, path = rule.build(values) or ("", "")
    assert re.search(pattern, path), path
