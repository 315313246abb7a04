"""Which names a customer may bring along: real host names on the internet, and none of ours."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from qikbiz.kernel.errors import Failure
from tenants.directory import normalise_host

# Names that no authority certifies or that never leave a network (RFC 6761, RFC 6762, RFC 7686, RFC 9476, ICANN).
_NEVER_PUBLIC = frozenset(
    {"alt", "arpa", "example", "home", "internal", "invalid", "lan", "local", "localhost", "onion", "test"}
)


class BadDomain(Failure):
    """This name can't be used; the text says why and what to do."""

    key = "bad_domain"


def own_domain(text: str, base_domain: str) -> str:
    """The name as it is kept: lower case, ASCII. A whole address that was pasted is read too. Raises BadDomain."""
    given = text.strip()
    host = normalise_host(_host_in(given))
    if host is None or host.rpartition(".")[2].isdecimal():
        raise BadDomain(f"“{given[:80]}” isn't a valid domain. Use a name such as crm.your-company.com.")
    labels = host.split(".")
    if host == base_domain or host.endswith(f".{base_domain}"):
        raise BadDomain(f"“{host}” belongs to QikBiz. Use a domain of your organisation.")
    if labels[-1] in _NEVER_PUBLIC or len(labels) < 2:
        raise BadDomain(f"“{host}” isn't a public internet domain, so it can't get a certificate.")
    suffixes = _public_suffixes()
    if suffixes.is_public(host):
        raise BadDomain(f"Anyone can register names under “{host}”. Use a domain that you own.")
    if suffixes.privatesuffix(host) == host:
        # Browsers are told to use TLS for the name and all below it: for a whole company's domain that's too much.
        raise BadDomain(f"“{host}” is a whole domain. Use a subdomain such as crm.{host}.")
    return host


@cache
def _public_suffixes() -> PublicSuffixList:
    """Below which names anybody registers names, such as co.uk: the list of the browsers, as the package has it."""
    return PublicSuffixList(only_icann=False)


def _host_in(text: str) -> str:
    if "//" not in text:
        return text.rstrip("/")
    try:
        return urlsplit(text).netloc
    except ValueError:
        return ""
