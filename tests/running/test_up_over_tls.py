"""`qikbiz up --tls` serves development over TLS, by an authority of its own that can certify localhost alone (P7)."""

from __future__ import annotations

import http.client
import shutil
import socket
import ssl
import stat
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from provisioning.development_tls import DevelopmentTls
from provisioning.embedded.processes import wait_until
from tests.running.installation import accept_invitation, ask
from tests.running.test_up import Copy, kept


@pytest.fixture(scope="module")
def copy() -> Iterator[Copy]:
    one = Copy("--tls")
    try:
        one.start()
        one.wait()
        yield one
    finally:
        one.discard()
        shutil.rmtree(one.home, ignore_errors=True)


def trusting(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority))


def served_to(copy: Copy, name: str, client: ssl.SSLContext) -> str | None:
    """The version of TLS agreed on, once the certificate was checked against `name`."""
    plain = socket.create_connection(("127.0.0.1", copy.port), timeout=10)
    with client.wrap_socket(plain, server_hostname=name) as opened:
        return opened.version()


@pytest.mark.promise("P7")
def test_every_address_is_https_and_trusted_by_whoever_trusts_the_authority(copy: Copy) -> None:
    assert copy.answer["addresses"]["Console"] == f"https://console.localhost:{copy.port}"
    client = trusting(copy.answer["authority"])
    for name in ("localhost", "www.localhost", "console.localhost", "127.0.0.1"):
        assert served_to(copy, name, client) == "TLSv1.3"


@pytest.mark.promise("P7")
def test_whoever_does_not_trust_it_is_warned(copy: Copy) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        served_to(copy, "localhost", ssl.create_default_context())


@pytest.mark.promise("P7")
def test_plain_http_gets_no_page(copy: Copy) -> None:
    with pytest.raises((OSError, http.client.HTTPException)):
        urllib.request.urlopen(f"http://localhost:{copy.port}/", timeout=5)


@pytest.mark.promise("P7")
def test_a_new_organisation_is_certified_while_the_product_runs_and_its_administrator_gets_in(copy: Copy) -> None:
    made = copy.qikbiz("tenant", "create", "acme", "--name", "Acme", "--admin-email", "alice@acme.example.com")
    assert made.returncode == 0, made.stderr
    client = trusting(copy.answer["authority"])

    def is_certified() -> bool:
        try:
            # There are two web processes, and the new ones begin while the old ones end.
            return all(served_to(copy, "acme.localhost", client) for _ in range(20))
        except OSError:
            return False

    assert wait_until(is_certified, seconds=30)
    invitation = next(word for word in made.stdout.split() if "/invitation/" in word)
    assert invitation.startswith(f"https://acme.localhost:{copy.port}/invitation/")
    origin, _, path = invitation.partition("/invitation/")
    cookies = accept_invitation(copy.port, origin, f"/invitation/{path}", client)
    assert cookies
    assert all("; Secure" in cookie and cookie.startswith("__Host-") for cookie in cookies)
    session = "; ".join(cookie.partition(";")[0] for cookie in cookies)
    home = ask(copy.port, origin.removeprefix("https://"), "/contacts", tls=client, headers={"Cookie": session})
    assert home.status == 200
    assert "Strict-Transport-Security" in home.headers  # in development itself it is left out


@pytest.mark.promise("P7")
def test_the_authority_is_made_once_and_its_key_is_the_owners_alone(copy: Copy) -> None:
    files = DevelopmentTls(copy.home)
    before = files.authority.read_bytes()
    files.ensure_authority()
    assert files.authority.read_bytes() == before
    for path in (files.authority.with_name("authority.key"), files.served):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.authority.parent.stat().st_mode) == 0o700


@pytest.mark.promise("P7")
def test_it_can_vouch_for_no_name_but_localhost(tmp_path: Path) -> None:
    """A certificate for another name, signed with its key, is refused by the very client that trusts it."""
    files = DevelopmentTls(tmp_path)
    files.ensure_authority()
    files.certify(["localhost", "acme.localhost"])
    assert verdict(files, "acme.localhost") == ""
    files.certify(["bank.example"])
    assert "permitted subtree violation" in verdict(files, "bank.example")


def verdict(files: DevelopmentTls, name: str) -> str:
    """What a client that trusts the authority says about what is served; "" when it is content."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), trusting(files.authority)
    server.load_cert_chain(files.served)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as refusal:
                return refusal.verify_message
    return ""


@pytest.mark.promise("P7")
def test_an_authority_that_ends_soon_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    from provisioning import development_tls

    files = DevelopmentTls(tmp_path)
    monkeypatch.setattr(development_tls, "AUTHORITY_LIFE", timedelta(days=30))
    files.ensure_authority()
    monkeypatch.undo()
    files.ensure_authority()
    lives_until = x509.load_pem_x509_certificate(files.authority.read_bytes()).not_valid_after_utc
    assert lives_until > datetime.now(UTC) + timedelta(days=365)


def test_the_workers_run_as_without_the_option(copy: Copy) -> None:
    assert wait_until(lambda: kept(copy, "worker-mail") is not None, seconds=30)


def test_without_the_option_the_same_home_is_served_in_the_clear_again(copy: Copy) -> None:
    copy.stop()
    copy.options = ()
    copy.start()
    copy.wait()
    assert copy.answer["addresses"]["Console"] == f"http://console.localhost:{copy.port}"
    assert "authority" not in copy.answer
    assert copy.get("/healthz", "localhost") == 200


@pytest.mark.promise("P7")
def test_a_domain_that_is_not_this_machines_is_refused(copy: Copy, tmp_path: Path) -> None:
    refused = copy.qikbiz("up", "--tls", QIKBIZ_BASE_DOMAIN="crm.example.org", QIKBIZ_HOME=str(tmp_path))
    assert refused.returncode == 1
    assert "--tls is for names under localhost" in refused.stderr
    assert not (tmp_path / "tls").exists()
