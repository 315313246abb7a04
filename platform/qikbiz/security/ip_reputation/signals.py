"""What can be odd about a request, and how many points it gives. A network that has enough points is blocked."""

from __future__ import annotations

from enum import StrEnum


class Signal(StrEnum):
    """Kinds of events. `LOGIN_SUCCEEDED` gives none: it forgives that account's failures from the same unit."""

    LOGIN_FAILED = "login_failed"
    LOGIN_UNKNOWN = "login_unknown"
    LOGIN_SUCCEEDED = "login_succeeded"
    BAD_COOKIE = "bad_cookie"
    CROSS_TENANT_COOKIE = "cross_tenant_cookie"
    REMEMBER_REUSE = "remember_reuse"
    BAD_CSRF = "bad_csrf"
    BAD_LINK = "bad_link"
    BAD_HOST = "bad_host"
    PROBE = "probe"
    RESET_BURST = "reset_burst"
    BLOCKED = "blocked"
    SSO_FAILED = "sso_failed"


POINTS: dict[str, int] = {
    Signal.LOGIN_FAILED: 2,
    Signal.LOGIN_UNKNOWN: 3,
    Signal.LOGIN_SUCCEEDED: 0,
    Signal.BAD_COOKIE: 5,
    Signal.CROSS_TENANT_COOKIE: 10,
    Signal.REMEMBER_REUSE: 10,
    Signal.BAD_CSRF: 5,
    Signal.BAD_LINK: 5,
    Signal.BAD_HOST: 1,
    Signal.PROBE: 10,
    Signal.RESET_BURST: 5,
    Signal.BLOCKED: 0,
    Signal.SSO_FAILED: 2,
}
# What a user's browser may do without their knowing: by a picture on another site's page, a stale form, an old link
# or a cookie from before a roll of keys. It never slows or blocks alone: it weighs at most as much as the guesses do.
NOISE = frozenset(
    {Signal.BAD_COOKIE, Signal.BAD_CSRF, Signal.BAD_LINK, Signal.BAD_HOST, Signal.PROBE, Signal.SSO_FAILED}
)
MANY_ACCOUNTS = ((20, 40), (5, 10))
HALF_LIFE_SECONDS = 3600
LOOK_BACK_SECONDS = 6 * HALF_LIFE_SECONDS
WATCH_AT, SLOW_AT, BLOCK_AT = 20, 40, 80
BLOCK_MINUTES = (10, 60, 360, 1440)
SLOW_MINUTES = 30
_PROBED = (
    ".php",
    ".env",
    ".git/",
    "wp-login",
    "wp-admin",
    "phpmyadmin",
    ".aspx",
    "cgi-bin",
    "/etc/passwd",
    ".htaccess",
)


def is_probe(path: str) -> bool:
    """Whether a path that we don't have is one that only scanners ask for."""
    lowered = path.lower()
    return any(word in lowered for word in _PROBED)
