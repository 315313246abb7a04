"""How often a password may be tried: for each name from each address, for each address, and for each name.

Counted in Redis over a sliding window; in this process alone while Redis is away, so that nobody is locked out. A name
is never locked by what others try: it gets slower, and a code by mail is asked for beside the right password.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import request

from qikbiz.identity.accounts.realms import Realm
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import TooMany
from qikbiz.security.ip_reputation.pseudonyms import mark
from qikbiz.security.rate_limits.limits import Limit, keep_within, try_within
from qikbiz.web.client_address import client_address, unit
from qikbiz.web.metrics import count_login

_QUARTER, _HOUR, _DAY = 900, 3600, 86_400


@dataclass(frozen=True, slots=True)
class Try:
    """A try that was counted. `is_hot`: the name has been tried so often, from wherever, that more must be asked."""

    here: Callable[[], None]
    is_hot: bool
    everywhere: Callable[[], None] | None = None

    def give_back(self) -> None:
        """What was given was right."""
        self.here()
        if self.everywhere is not None:
            self.everywhere()


def try_login(realm: Realm, name: str, *, is_known_device: bool) -> Try:
    """Count one try of a password. Raises TooMany for an address that tried this name, or any names, too often.

    A name under attack from everywhere refuses nobody: an address that is new to it has fewer tries, and who then has
    the right password is asked for more.
    """
    everywhere = None if is_known_device else try_within(realm, Limit(f"login:name:{_mark(realm, name)}", 50, _HOUR))
    is_hot = not is_known_device and everywhere is None
    here = f"login:{_mark(realm, name)}:{_unit()}"
    limits = [Limit(here, 3 if is_hot else 10, _QUARTER), Limit(f"login:unit:{_unit()}", 60, _QUARTER)]
    return Try(_count(realm, limits), is_hot, everywhere)


def try_confirmation(realm: Realm, name: str) -> Callable[[], None]:
    """As `try_login`, for a signed-in user who is asked for the password again."""
    return _count(realm, [Limit(f"confirm:{_mark(realm, name)}", 10, _QUARTER)])


def try_factor(realm: Realm, name: str, place: str) -> Try:
    """Count one code given beside a right password at `place`: a session, or the address of a sign-in.

    Whoever else knows the password uses up tries of their own place only, and makes it hot: then who can read the
    person's mail goes on. Raises TooMany.
    """
    mark = _mark(realm, f"{name}|{place}")
    here = _count(realm, [Limit(f"factor:{mark}", 6, _QUARTER), Limit(f"factor-day:{mark}", 40, _DAY)])
    everywhere = try_within(realm, Limit(f"factor-all:{_mark(realm, name)}", 40, _DAY))
    return Try(here, everywhere is None, everywhere)


def try_mailed_code(realm: Realm, name: str) -> Callable[[], None]:
    """Count one mailed code given from this address. Raises TooMany. Codes are too long to be found by trying."""
    return _count(realm, [Limit(f"mailed:{_mark(realm, name)}:{_unit()}", 20, _QUARTER)])


def may_mail_code(realm: Realm, name: str) -> bool:
    """Whether one more code may be mailed; those mailed before stay good, so that enough mails are enough."""
    mark = _mark(realm, name)
    limits = Limit(f"mail-code:{mark}:{_unit()}", 5, _HOUR), Limit(f"mail-code-all:{mark}", 20, _HOUR)
    return try_within(realm, *limits) is not None


def try_break_glass(realm: Realm) -> None:
    """Count one try of a break-glass code from this address. Raises TooMany.

    Not for all addresses together: a stranger could use that up, and the code is too long to be found by trying.
    """
    _count(realm, [Limit(f"glass:unit:{_unit()}", 5, _QUARTER)])


def ask_provider(realm: Realm, *, is_cross_site: bool = False) -> Callable[[], None]:
    """As `try_login`, for one way to the identity provider or back, which makes us ask its servers.

    A whole office may come from one address in the morning; who comes in gives the try back. What another site's page
    asks for is counted apart: it leaves the button of our own page alone.
    """
    subject = "sso-from-elsewhere" if is_cross_site else "sso"
    return _count(realm, [Limit(f"{subject}:unit:{_unit()}", 300, _QUARTER), Limit(f"{subject}:all", 3_000, _QUARTER)])


def ask_for_strength(realm: Realm) -> None:
    """Count one look at a password's strength from this address. Raises TooMany."""
    _count(realm, [Limit(f"strength:unit:{_unit()}", 240, _QUARTER)])


def ask_for_link(realm: Realm) -> None:
    """Count one request for a mail from this address. Raises TooMany."""
    _count(realm, [Limit(f"link:unit:{_unit()}", 20, _HOUR)])


def may_send_link(realm: Realm, name: str, requester: str) -> bool:
    """Whether one more mail may go to this name. Asked by the worker; the visitor does not learn of it.

    Counted for each requester. Where the sum of all is full, links sent in the last hour are in the mailbox, and good.
    """
    mark = _mark(realm, name)
    limits = Limit(f"link:{mark}:{requester}", 3, _HOUR), Limit(f"link:name:{mark}", 10, _HOUR)
    return try_within(realm, *limits) is not None


def requester() -> str:
    """The network that asks, named by a keyed hash."""
    return _unit()


def _count(realm: Realm, limits: Sequence[Limit]) -> Callable[[], None]:
    try:
        return keep_within(realm, limits)
    except TooMany:
        count_login(realm.kind, "throttled")
        raise


def _unit() -> str:
    # Redis is no place for addresses, whether of people or of machines.
    return mark(unit(client_address(request.environ, runtime().settings.trusted_proxies)))


def _mark(realm: Realm, name: str) -> str:
    # Nor for e-mail addresses.
    return realm.mac("throttle", name.encode("utf-8", "replace")).hex()[:24]
