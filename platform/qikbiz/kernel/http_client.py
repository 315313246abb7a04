"""The one client for HTTP requests to other servers.

Every request has one deadline for the whole exchange, a bounded answer, and an `AddressRule`. Where a customer named
the address, only https and only public addresses are asked: the name is looked up once, and the address that was
judged is the one connected to.
"""

from __future__ import annotations

import socket
import ssl
from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPSConnection
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from qikbiz.kernel.deadline import Deadline, OutOfTime, call_within
from qikbiz.kernel.public_addresses import may_be_asked

LONGEST_ANSWER = 256 * 1024
_LONGEST_ADDRESS = 2_000
_MOVED = (301, 302, 303, 307, 308)
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class BadAddress(ValueError):
    """An address that is never asked; the text says why."""


class NotAnswered(Exception):
    """The server can't be reached, or answers something that is no answer; the text says which."""


@dataclass(frozen=True, kw_only=True)
class AddressRule:
    """Which addresses may be asked, and how. Without a word: public addresses by https, directly.

    `is_trusted`: the operator named the address, so every one may be asked, by http too, and redirects may be
    followed. `uses_proxy`: the proxy that the environment names is used. `allows_private` opens private networks, and
    `allows_plain_loopback` http to this machine.
    """

    is_trusted: bool = False
    uses_proxy: bool = False
    allows_private: bool = False
    allows_plain_loopback: bool = False


# Services that the operator names in the settings, and this installation's own site.
OPERATORS_SERVICE = AddressRule(is_trusted=True, uses_proxy=True)
OWN_SITE = AddressRule(is_trusted=True)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes


def check_address(url: str, rule: AddressRule) -> SplitResult:
    """The parts of an address that may be asked, as far as can be seen without asking. Raises BadAddress."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise BadAddress("This is not an address.") from None
    if not url.isascii() or not url.isprintable() or " " in url or not host or len(url) > _LONGEST_ADDRESS:
        raise BadAddress("This is not an address.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _may_be_plain(host, rule)):
        raise BadAddress("The address must begin with https://.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadAddress("The address must not hold a name, a password or a part after #.")
    return parts


def fetch(
    url: str,
    rule: AddressRule,
    deadline: Deadline,
    *,
    method: str = "GET",
    body: str | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    accepts: Collection[int] | None = (200,),
    longest: int = LONGEST_ANSWER,
    redirects: int = 0,
) -> Answer:
    """The answer, whose status is one of `accepts` (None: any). Raises BadAddress, NotAnswered, OutOfTime."""
    request = _Request(method, body, headers or {}, longest)
    exchange = _Exchange(check_address(url, rule), rule, deadline, request)
    try:
        answer = call_within(deadline, exchange.run)
    except OutOfTime:
        exchange.give_up()
        raise
    if rule.is_trusted and redirects and answer.status in _MOVED and answer.headers["Location"]:
        return fetch(
            urljoin(url, answer.headers["Location"]), rule, deadline,
            headers=headers, accepts=accepts, longest=longest, redirects=redirects - 1,
        )  # fmt: skip
    if accepts is not None and answer.status not in accepts:
        raise NotAnswered(f"It answered with status {answer.status}.")
    return answer


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    body: str | bytes | None
    headers: Mapping[str, str]
    longest: int


class _Exchange:
    """One request and its answer. It runs in a thread, and `give_up` ends it from another one."""

    def __init__(self, parts: SplitResult, rule: AddressRule, deadline: Deadline, request: _Request) -> None:
        self._parts, self._rule, self._deadline, self._request = parts, rule, deadline, request
        self._host, self._is_tls = parts.hostname or "", parts.scheme == "https"
        self._port = parts.port or (443 if self._is_tls else 80)
        self._socket: socket.socket | None = None

    def run(self) -> Answer:
        try:
            return self._exchanged()
        except ssl.SSLError as error:
            raise NotAnswered("Its certificate is not valid for that name.") from error
        except (OSError, HTTPException, ValueError) as error:
            # A customer is not told what our network says about an address.
            why = f" ({error or type(error).__name__})" if self._rule.is_trusted else ""
            raise NotAnswered(f"It can't be reached{why}.") from error

    def give_up(self) -> None:
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def _exchanged(self) -> Answer:
        headers = {"User-Agent": "QikBiz", "Connection": "close", **self._request.headers}
        target = (self._parts.path or "/") + (f"?{self._parts.query}" if self._parts.query else "")
        proxy = self._proxy()
        if proxy is None:
            connection = self._direct()
        else:
            connection = self._tunnel(proxy)
            if not self._is_tls:
                target = f"http://{self._parts.netloc}{target}"
                headers |= {"Host": self._parts.netloc, **_proxy_login(proxy)}
        try:
            connection.request(self._request.method, target, self._request.body, headers)
            response = connection.getresponse()
            raw = response.read(self._request.longest + 1)
        finally:
            connection.close()
        if len(raw) > self._request.longest:
            raise NotAnswered("Its answer is too long.")
        return Answer(response.status, response.headers, raw)

    def _direct(self) -> HTTPConnection:
        plain = self._connected()
        connection = self._client(self._host, self._port)
        connection.sock = _tls().wrap_socket(plain, server_hostname=self._host) if self._is_tls else plain
        self._socket = connection.sock
        return connection

    def _proxy(self) -> SplitResult | None:
        named = getproxies().get(self._parts.scheme) if self._rule.uses_proxy else None
        if not named or proxy_bypass(self._host):
            return None
        return urlsplit(named if "://" in named else f"http://{named}")

    def _tunnel(self, proxy: SplitResult) -> HTTPConnection:
        """A connection to the proxy, and with TLS through it to the server."""
        connection = self._client(proxy.hostname or "", proxy.port or 80)
        if self._is_tls:
            connection.set_tunnel(self._host, self._port, headers=_proxy_login(proxy))
        connection.connect()
        self._socket = connection.sock
        return connection

    def _client(self, host: str, port: int) -> HTTPConnection:
        seconds = max(0.1, self._deadline.left)
        if self._is_tls:
            return HTTPSConnection(host, port, timeout=seconds, context=_tls())
        return HTTPConnection(host, port, timeout=seconds)

    def _connected(self) -> socket.socket:
        places = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        found = {ip_address(str(place[4][0]).partition("%")[0]) for place in places}
        may_connect = self._rule.is_trusted or all(
            may_be_asked(address, allows_private=self._rule.allows_private) for address in found
        )
        if not found or not may_connect:
            raise NotAnswered("Its name leads to an address inside a private network.")
        last: OSError | None = None
        for address in sorted(found, key=lambda one: one.version):
            try:
                self._socket = socket.create_connection(
                    (str(address), self._port), timeout=max(0.1, self._deadline.left)
                )
            except OSError as error:
                last = error
            else:
                return self._socket
        raise last or OSError("No address.")


def _may_be_plain(host: str, rule: AddressRule) -> bool:
    return rule.is_trusted or (rule.allows_plain_loopback and host in _LOOPBACK_NAMES)


def _proxy_login(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(login.encode()).decode()}"}


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
