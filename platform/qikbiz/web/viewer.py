"""How the person looking at the page wants it: theme and time zone, from the preferences of the login."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import current_app, has_request_context
from flask_login import current_user

THEMES = ("auto", "light", "dark")


def chosen_theme() -> str:
    theme = _preference("theme")
    return theme if theme in THEMES else "auto"


def time_zone() -> ZoneInfo:
    return _zone(_preference("time_zone") or "UTC")


def time_zone_name() -> str:
    return time_zone().key


@lru_cache(maxsize=700)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _preference(name: str) -> str | None:
    value = _preferences().get(name)
    return value if isinstance(value, str) else None


def _preferences() -> Mapping[str, Any]:
    # Error pages are also made before anyone is known, and without a login manager.
    if not has_request_context() or not hasattr(current_app, "login_manager"):
        return {}
    preferences = getattr(current_user, "preferences", None)
    return preferences if isinstance(preferences, Mapping) else {}
