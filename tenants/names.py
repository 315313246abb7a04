"""What a tenant's slug may be: the first label of its address, so it must be one, be free, and be nobody's double."""

from __future__ import annotations

import re
from collections.abc import Iterable

SHORTEST, LONGEST = 3, 40
_SHAPE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
RESERVED = frozenset(
    "abuse account accounts admin administrator api app apps assets auth autoconfig autodiscover billing blog cdn "
    "cname console control crm demo dev developer docs download email example export ftp git help host hostmaster "
    "http https id imap import info internal invoice invoices localhost login logout mail mails media metrics "
    "mobile mx my news ns ns1 ns2 null oauth official operator ops payment payments pop pop3 portal postmaster "
    "privacy private promises public qikbiz queue redis register root sales secure security server services shop signin "
    "signup site smtp sso staff staging static stats status store support sysadmin system team test tenant tenants "
    "test testing tls unknown update user users vpn web webmail webmaster wiki wpad www".split()
)
# Pairs that the eye takes for each other in a browser's address bar; longest first.
_ALIKE = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"), ("2", "z"), ("8", "b"), ("-", ""))


class NameRefused(ValueError):
    """The slug can't be taken; the text says why and what to do."""


def check_shape(slug: str) -> str:
    """The slug itself when it is well formed and not reserved. Raises NameRefused."""
    if not SHORTEST <= len(slug) <= LONGEST:
        raise NameRefused(f"The address must have {SHORTEST} to {LONGEST} characters; “{slug[:60]}” has {len(slug)}.")
    if not _SHAPE.fullmatch(slug):
        raise NameRefused(
            f"“{slug[:60]}” can't be an address: use small letters a–z, digits and single hyphens between them."
        )
    if slug.isdecimal():
        raise NameRefused(f"“{slug}” has only digits; an address needs a letter.")
    if slug in RESERVED or slug.startswith("xn-"):
        raise NameRefused(f"“{slug}” is reserved. Choose another address.")
    return slug


def check_free(slug: str, taken: Iterable[str], erased: Iterable[str] = ()) -> None:
    """Refuse a slug that is taken, was a former tenant's, or looks like one that is. Raises NameRefused."""
    if slug in set(erased):
        raise NameRefused(f"“{slug}” belonged to a former customer and is not given again. Choose another address.")
    wanted = look(slug)
    for other in taken:
        if other == slug:
            raise NameRefused(f"“{slug}” is taken. Choose another address.")
        if look(other) == wanted:
            raise NameRefused(f"“{slug}” looks too much like an address that is taken. Choose another one.")


def look(slug: str) -> str:
    """What a slug looks like at a glance: two with the same look can't both be tenants."""
    seen = slug
    for pair, same in _ALIKE:
        seen = seen.replace(pair, same)
    return seen
