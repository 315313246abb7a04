"""The client's address is what the connection or a trusted proxy says, not what other headers claim."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from qikbiz.web.client_address import came_over_tls, client_address, shown_prefix, tls_version, unit

PROXIES = (ip_network("192.0.2.0/24"), ip_network("2001:db8:ffff::/48"))
PROXY, STRANGER = "192.0.2.1", "203.0.113.9"
CLAIMS = [
    "127.0.0.1",
    "10.0.0.1",
    "::1",
    "unknown",
    "_hidden",
    "",
    " ",
    ",",
    ",,,",
    "<script>alert(1)</script>",
    "1.2.3.4:8080",
    "[2001:db8::1]:443",
    "1.2.3",
    "1.2.3.4.5",
    "999.1.1.1",
    "0x7f.1",
    "2130706433",
    "1.2.3.4; drop table",
    "1.2.3.4\r\nX: y",
    "fe80::1%eth0\x00",
]
SPOOFS = [(claim, proxied) for claim in CLAIMS for proxied in (False, True)]


def _found(peer, header=None):
    environ = {"REMOTE_ADDR": peer} | ({"HTTP_X_FORWARDED_FOR": header} if header is not None else {})
    return client_address(environ, PROXIES)


@pytest.mark.parametrize(("claim", "proxied"), SPOOFS)
def test_no_claim_of_the_client_is_believed(claim, proxied):
    """Forty variants: sent directly, and through a proxy of ours that appends the address it sees."""
    if proxied:
        assert _found(PROXY, f"{claim}, {STRANGER}") == ip_address(STRANGER)
    else:
        assert _found(STRANGER, claim) == ip_address(STRANGER)


def test_a_chain_of_our_own_proxies_is_walked_through():
    assert _found(PROXY, f"6.6.6.6, {STRANGER}, 192.0.2.7, 2001:db8:ffff::1") == ip_address(STRANGER)


def test_ten_kilobytes_of_header_are_not_read():
    assert _found(PROXY, "6.6.6.6, " * 2000 + STRANGER) == ip_address(PROXY)


def test_an_unreadable_last_hop_means_the_proxy_itself():
    assert _found(PROXY, f"{STRANGER}, unknown") == ip_address(PROXY)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("64:ff9b::102:304", "1.2.3.4"),
        ("fe80::1%eth0", "fe80::1"),
        ("1.2.3.4", "1.2.3.4"),
    ],
)
def test_spellings_of_one_address_are_one(given, meant):
    assert _found(given) == ip_address(meant)


def test_a_unix_socket_is_this_machine():
    assert client_address({}, PROXIES) == ip_address("127.0.0.1")
    assert client_address({"REMOTE_ADDR": ""}, PROXIES) == ip_address("127.0.0.1")


def test_units_and_what_is_shown():
    assert str(unit(ip_address("203.0.113.9"))) == "203.0.113.9/32"
    assert str(unit(ip_address("2001:db8:1:2:3::4"))) == "2001:db8:1:2::/64"
    assert shown_prefix(ip_address("203.0.113.9")) == "203.0.113.0/24"
    assert shown_prefix(ip_address("2001:db8:1:2:3::4")) == "2001:db8:1::/48"


@pytest.mark.promise("P7")
@pytest.mark.parametrize("claim", ["https", "https, http", "HTTPS", " https", "http", "on", "", None])
def test_only_a_proxy_of_ours_may_say_that_it_was_tls(claim):
    environ = {"wsgi.url_scheme": "http"} | ({"HTTP_X_FORWARDED_PROTO": claim} if claim is not None else {})
    assert not came_over_tls(environ | {"REMOTE_ADDR": STRANGER}, PROXIES)
    assert came_over_tls(environ | {"REMOTE_ADDR": PROXY}, PROXIES) == (claim == "https")
    assert came_over_tls({"wsgi.url_scheme": "https", "REMOTE_ADDR": STRANGER}, PROXIES)


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    ("told", "shown"),
    [("TLSv1.3", "TLS 1.3"), ("tls1.2", "TLS 1.2"), ("TLSv1.1", ""), ("TLSv1.3<b>", ""), ("", ""), ("TLSv1.3\n", "")],
)
def test_the_version_of_tls_is_the_proxys_word(told, shown):
    assert tls_version({"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_TLS": told}, PROXIES) == shown
    assert tls_version({"REMOTE_ADDR": STRANGER, "HTTP_X_FORWARDED_TLS": told}, PROXIES) == ""


def test_nothing_else_looks_at_the_address_or_its_headers():
    source = Path(__file__).parents[2]
    pattern = re.compile(r"REMOTE_ADDR|X_FORWARDED|FORWARDED_FOR|remote_addr|access_route|ProxyFix|X-Real-IP", re.I)
    readers = {
        str(file.relative_to(source))
        for folder in ("platform", "tenants", "workers", "provisioning", "config")
        for file in (source / folder).rglob("*.py")
        if pattern.search(file.read_text(encoding="utf-8"))
    }
    # The web server says who the peer is; only one place reads it.
    assert readers == {"config/web_server/requests.py", "platform/qikbiz/web/client_address.py"}
