"""Whether a server is reached by a unix socket or by TLS whose certificate is checked."""

from urllib.parse import parse_qs, urlsplit


def postgres_is_protected(url: str) -> bool:
    """True for unix sockets or a verified TLS connection."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    hosts = (query.get("host") or [parts.hostname or ""])[-1].split(",")
    # `hostaddr` is where libpq really connects to, not `host`.
    is_local = all(host.startswith("/") for host in hosts) and "hostaddr" not in query
    return is_local or query.get("sslmode") == ["verify-full"]


def redis_is_protected(url: str) -> bool:
    """True for a unix socket or TLS with the certificate and the name in it checked."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    is_checked = query.get("ssl_cert_reqs", ["required"]) == ["required"] and not query.keys() & {
        "ssl_check_hostname",
        "ssl_exclude_verify_flags",
    }
    return parts.scheme == "unix" or (parts.scheme == "rediss" and is_checked)


def smtp_is_protected(url: str) -> bool:
    return urlsplit(url).scheme in ("smtps", "smtp+starttls")
