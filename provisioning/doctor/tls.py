"""Every line to another server: encrypted, with the other side's certificate checked, or a socket of this machine (P7).

In production unsafe URLs are refused at the start. Here is what only looking can tell: what a cell's login was given,
and what the servers really speak.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from config.keys import SealBroken
from config.protected_urls import postgres_is_protected, redis_is_protected, smtp_is_protected
from config.settings import Settings
from provisioning.doctor.checks import Check
from provisioning.servers import Connection, connect_as_provisioner, connect_to_control
from tenants.runtime import CELL_DSN

VERIFIED = "Add sslmode=verify-full to the URL, or use a unix socket."
NOTHING_ELSE = "unencrypted, which is allowed in development only"
_SPOKEN = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
OLD_VERSIONS = ("TLSv1", "TLSv1.1", "SSLv3")


def databases(settings: Settings) -> Iterator[Check]:
    with connect_to_control(settings) as control:
        yield _database("line to the control database", settings, settings.control_url, control)
        cells = control.execute("SELECT name, dsn FROM cells ORDER BY name").fetchall()
    if settings.provisioner_url:
        with connect_as_provisioner(settings) as connection:
            yield _database("line to the tenants' database", settings, settings.provisioner_url, connection)
    for name, sealed in cells:
        try:
            dsn = settings.keys.open(CELL_DSN, sealed, bound_to=name).plaintext.decode()
        except SealBroken:
            continue  # the check of its login says so
        if not postgres_is_protected(dsn):
            yield _open_line(
                f"line of {name}", settings, "Create the cell's DSN again from a URL with sslmode=verify-full."
            )


def others(settings: Settings) -> Iterator[Check]:
    for name, url, is_protected, remedy in (
        ("line to redis", settings.redis_url, redis_is_protected, "Use rediss:// or unix://."),
        ("line to the mail server", settings.smtp_url, smtp_is_protected, "Use smtps:// or smtp+starttls://."),
    ):
        if not url:
            continue
        if is_protected(url):
            yield Check(name, True, urlsplit(url).scheme)
        else:
            yield _open_line(name, settings, remedy)


def proxy(settings: Settings) -> Iterator[Check]:
    """Which proxies are believed when they say that a request came over TLS."""
    trusted = ", ".join(map(str, settings.trusted_proxies))
    if settings.is_production and not trusted:
        remedy = "Set QIKBIZ_TRUSTED_PROXIES to the proxy's address; without it the web process does not start."
        yield Check("proxy", False, "no proxy is trusted to report TLS", remedy)
    elif any(network.prefixlen == 0 for network in settings.trusted_proxies):
        remedy = "Set QIKBIZ_TRUSTED_PROXIES to the proxy's own address. Currently any client can claim any address."
        yield Check("proxy", False, f"the whole internet is trusted ({trusted})", remedy)
    else:
        yield Check(
            "proxy", True, f"{trusted} reports how requests arrived" if trusted else "none; clients connect directly"
        )


def _database(name: str, settings: Settings, url: str, connection: Connection) -> Check:
    if (connection.info.host or "").startswith("/"):
        return Check(name, True, "a local socket")
    row = connection.execute(_SPOKEN).fetchone()
    is_encrypted, version = bool(row and row[0]), row[1] if row else None
    if version in OLD_VERSIONS:
        return Check(name, False, f"{version} is used", "Set ssl_min_protocol_version = 'TLSv1.2' on the server.")
    if not is_encrypted or not postgres_is_protected(url):
        return _open_line(name, settings, VERIFIED)
    return Check(name, True, f"{version}, certificate checked")


def _open_line(name: str, settings: Settings, remedy: str) -> Check:
    return Check(name, not settings.is_production, NOTHING_ELSE, remedy if settings.is_production else "")
