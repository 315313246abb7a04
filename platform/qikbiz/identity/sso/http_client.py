"""Asking an identity provider's servers. An administrator names them, so they are asked as strangers are.

Only https, only public addresses (the name is looked up once, and the address that was judged is the one connected
to), no redirects, a bounded answer, and five seconds for everything that one request of ours asks together.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from qikbiz.identity.sso.failures import ProviderAway
from qikbiz.kernel.database import runtime

SECONDS = 5.0
LONGEST_ANSWER = 256 * 1024
_ANSWERS = (200, 400, 401)
# IPv4 addresses in the clothes of IPv6, by which a private one could pass for a public one: NAT64 (RFC 6052),
# compatible (RFC 4291 2.5.5.1) and translated ones (RFC 2765). Mapped ones `ipaddress` knows itself.
_IPV4_INSIDE = tuple(ip_network(each) for each in ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96"))
# Public IPv6 lies in one range, minus what is set aside there: protocols (Teredo and ORCHID among them), benchmarks,
# documentation, 6to4, and segment routing.
_PUBLIC_V6 = ip_network("2000::/3")
_SET_ASIDE = tuple(ip_network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16"))
_UNIQUE_LOCAL = ip_network("fc00::/7")
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class BadAddress(ValueError):
    """An address that is never asked; the text says why."""


class Deadline:
    """How long all questions of one request may take together."""

    def __init__(self, seconds: float | None = None) -> None:
        self._ends = time.monotonic() + (SECONDS if seconds is None else seconds)

    @property
    def left(self) -> float:
        return max(0.0, self._ends - time.monotonic())


def check_address(url: str) -> SplitResult:
    """The parts of an address that may be asked, as far as can be seen without asking. Raises BadAddress."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise BadAddress("This is not an address.") from None
    if not url.isascii() or not url.isprintable() or " " in url or not host or len(url) > 2_000:
        raise BadAddress("This is not an address.")
    if parts.scheme != "https" and not _is_own_loopback(parts):
        raise BadAddress("The address must begin with https://.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadAddress("The address must not hold a name, a password or a part after #.")
    return parts


def fetch(
    url: str, deadline: Deadline, *, body: str | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """The status and the JSON object that the address answers with; a POST with a body. Raises ProviderAway."""
    parts = _checked(url)
    # The body is sent and read in a thread of its own: neither a name server nor an answer that comes byte by byte can
    # hold the request for longer.
    answers: list[tuple[int, bytes]] = []
    problems: list[str] = []
    asking = _Asking(parts, body, headers or {}, deadline, allows_private=runtime().settings.sso_private_issuers)
    thread = threading.Thread(target=asking.ask, args=(answers, problems), daemon=True)
    thread.start()
    thread.join(deadline.left)
    if not answers:
        asking.give_up()
        raise ProviderAway(problems[0] if problems else "It did not answer in time.")
    status, raw = answers[0]
    return status, _json(raw)


def may_be_asked(address: IPv4Address | IPv6Address, *, allows_private: bool) -> bool:
    """Whether our servers may connect there: public addresses, and private ones where the operator allows them."""
    if isinstance(address, IPv6Address):
        inner = _ipv4_inside(address)
        if inner is not None:
            return may_be_asked(inner, allows_private=allows_private)
        if address in _PUBLIC_V6:
            return address.is_global and not any(address in network for network in _SET_ASIDE)
        # What is left that a private network may use: unique local addresses, and this machine.
        return allows_private and (address in _UNIQUE_LOCAL or address.is_loopback)
    if address.is_multicast or address.is_unspecified or address.is_link_local or address.is_reserved:
        return False
    return address.is_global or allows_private


def _ipv4_inside(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    is_plain = address.is_loopback or address.is_unspecified
    if not is_plain and any(address in network for network in _IPV4_INSIDE):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


class _Asking:
    """One question, asked in a thread and given up from another."""

    def __init__(
        self,
        parts: SplitResult,
        body: str | None,
        headers: dict[str, str],
        deadline: Deadline,
        *,
        allows_private: bool,
    ) -> None:
        self._parts, self._body, self._headers, self._deadline = parts, body, headers, deadline
        self._allows_private = allows_private
        self._socket: socket.socket | None = None

    def ask(self, answers: list[tuple[int, bytes]], problems: list[str]) -> None:
        try:
            answers.append(self._ask())
        except ProviderAway as away:
            problems.append(away.text)
        except ssl.SSLError:
            problems.append("Its certificate is not valid for that name.")
        except (OSError, HTTPException, ValueError):
            problems.append("It can't be reached.")

    def give_up(self) -> None:
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def _ask(self) -> tuple[int, bytes]:
        host = self._parts.hostname or ""
        connection = self._connection(host)
        try:
            path = (self._parts.path or "/") + (f"?{self._parts.query}" if self._parts.query else "")
            sent = {"Accept": "application/json", "User-Agent": "QikBiz", "Connection": "close", **self._headers}
            connection.request("POST" if self._body is not None else "GET", path, self._body, sent)
            response = connection.getresponse()
            if response.status not in _ANSWERS:
                raise ProviderAway(f"It answered with status {response.status}.")
            raw = response.read(LONGEST_ANSWER + 1)
        finally:
            connection.close()
        if len(raw) > LONGEST_ANSWER:
            raise ProviderAway("Its answer is too long.")
        return response.status, raw

    def _connection(self, host: str) -> HTTPConnection:
        is_tls = self._parts.scheme == "https"
        port = self._parts.port or (443 if is_tls else 80)
        plain = self._connected(host, port)
        connection = HTTPSConnection(host, port) if is_tls else HTTPConnection(host, port)
        connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if is_tls else plain
        self._socket = connection.sock
        return connection

    def _connected(self, host: str, port: int) -> socket.socket:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found = {ip_address(str(place[4][0]).partition("%")[0]) for place in places}
        if not found or not all(may_be_asked(address, allows_private=self._allows_private) for address in found):
            raise ProviderAway("Its name leads to an address inside a private network.")
        last: OSError | None = None
        for address in sorted(found, key=lambda one: one.version):
            try:
                self._socket = socket.create_connection((str(address), port), timeout=max(0.1, self._deadline.left))
            except OSError as error:
                last = error
            else:
                return self._socket
        raise last or OSError("No address.")


def _checked(url: str) -> SplitResult:
    try:
        return check_address(url)
    except BadAddress as bad:
        raise ProviderAway(bad.args[0]) from bad


def _is_own_loopback(parts: SplitResult) -> bool:
    settings = runtime().settings
    return (
        parts.scheme == "http"
        and settings.sso_private_issuers
        and not settings.is_production
        and parts.hostname in _LOOPBACK_NAMES
    )


def _json(raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ProviderAway("Its answer is not a JSON object.")
    return document
