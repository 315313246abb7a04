"""Which names an organisation's address may have: readable, not ours, not mistaken for another's."""

from __future__ import annotations

import re

from provisioning.servers import Connection
from qikbiz.failures import Conflict, Failure

SHORTEST, LONGEST = 3, 40
_SHAPE = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")

# Addresses that are ours, that mail and certificates give power to (RFC 2142, CA rules), or that would deceive.
RESERVED = frozenset(
    [
        "www",
        "www1",
        "www2",
        "web",
        "site",
        "home",
        "console",
        "admin",
        "administrator",
        "root",
        "system",
        "api",
        "app",
        "apps",
        "static",
        "assets",
        "cdn",
        "img",
        "images",
        "media",
        "files",
        "file",
        "upload",
        "uploads",
        "download",
        "downloads",
        "mail",
        "email",
        "smtp",
        "imap",
        "pop",
        "webmail",
        "mx",
        "ns",
        "ns1",
        "ns2",
        "dns",
        "ftp",
        "sftp",
        "ssh",
        "vpn",
        "proxy",
        "gateway",
        "status",
        "health",
        "healthz",
        "readyz",
        "metrics",
        "monitor",
        "monitoring",
        "support",
        "help",
        "helpdesk",
        "docs",
        "documentation",
        "blog",
        "news",
        "about",
        "contact",
        "legal",
        "privacy",
        "terms",
        "security",
        "abuse",
        "postmaster",
        "hostmaster",
        "webmaster",
        "noreply",
        "no-reply",
        "mailer-daemon",
        "info",
        "sales",
        "billing",
        "pay",
        "payment",
        "payments",
        "invoice",
        "invoices",
        "account",
        "accounts",
        "login",
        "logout",
        "signin",
        "signup",
        "register",
        "auth",
        "oauth",
        "oidc",
        "saml",
        "sso",
        "id",
        "identity",
        "password",
        "passwords",
        "session",
        "sessions",
        "user",
        "users",
        "staff",
        "team",
        "teams",
        "tenant",
        "tenants",
        "customer",
        "customers",
        "partner",
        "partners",
        "demo",
        "test",
        "tests",
        "testing",
        "staging",
        "stage",
        "dev",
        "develop",
        "development",
        "local",
        "localhost",
        "internal",
        "intranet",
        "private",
        "public",
        "production",
        "prod",
        "beta",
        "alpha",
        "preview",
        "sandbox",
        "example",
        "examples",
        "qikbiz",
        "qik-biz",
        "crm",
        "official",
        "verify",
        "verification",
        "secure",
        "ssl",
        "tls",
        "autodiscover",
        "autoconfig",
        "wpad",
        "isatap",
    ]
)

# Folded in the database as in `look_of`, so that no list of all names has to travel.
_LOOK_SQL = "replace(replace(translate(replace(slug, '-', ''), '015i', 'olsl'), 'rn', 'm'), 'vv', 'w')"


class BadName(Failure):
    """This name can't be given; the text says why and what to do."""

    key = "bad_name"


class NameTaken(Conflict):
    key = "name_taken"


def look_of(slug: str) -> str:
    """What a hurried reader sees: 0 as o, 1 and i as l, 5 as s, rn as m, vv as w, no hyphens."""
    return slug.replace("-", "").translate(str.maketrans("015i", "olsl")).replace("rn", "m").replace("vv", "w")


def check_shape(slug: str) -> None:
    """Raises BadName with the rule that `slug` breaks."""
    if not SHORTEST <= len(slug) <= LONGEST:
        raise BadName(f"A name has {SHORTEST} to {LONGEST} characters; {slug!r} has {len(slug)}.")
    if not _SHAPE.fullmatch(slug):
        raise BadName(f"{slug!r} may hold only a–z, 0–9 and hyphens, and a hyphen neither first nor last.")
    if "--" in slug:
        # xn--… would be read as a name in another script, and two hyphens look like one.
        raise BadName(f"{slug!r} has two hyphens in a row; use one.")
    if slug.isdecimal():
        raise BadName(f"{slug!r} is only a number; add a word.")
    if slug in RESERVED or look_of(slug) in _RESERVED_LOOKS:
        raise BadName(f"{slug!r} is reserved, or looks like a name that is; choose another.")


def check_free(control: Connection, slug: str, *, besides: str | None = None) -> None:
    """Raises NameTaken when the name, or one that looks like it, is or was another's. `besides` is the tenant's own."""
    look = look_of(slug)
    taken = control.execute(
        f"SELECT slug FROM tenants WHERE {_LOOK_SQL} = %s AND slug IS DISTINCT FROM %s LIMIT 1".encode(),
        (look, besides),
    ).fetchone()
    if taken is not None:
        raise NameTaken(
            f"The name {slug!r} is taken."
            if taken[0] == slug
            else f"{slug!r} could be mistaken for {taken[0]!r}, which is taken; choose another."
        )
    former = control.execute(
        f"SELECT slug FROM reserved_names WHERE {_LOOK_SQL} = %s LIMIT 1".encode(), (look,)
    ).fetchone()
    if former is not None:
        raise NameTaken(
            f"{slug!r} is not given again: {former[0]!r} belonged to an organisation that was deleted or renamed."
        )


_RESERVED_LOOKS = frozenset(look_of(name) for name in RESERVED)
