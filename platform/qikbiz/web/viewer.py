"""How the person looking at the page wants it: theme and time zone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import current_app, has_request_context
from flask_login import current_user

from tenants.context import tenant_or_none

THEMES = ("auto", "light", "dark")


def chosen_theme() -> str:
    preferences = getattr(_person(), "preferences", None)
    theme = preferences.get("theme") if isinstance(preferences, Mapping) else None
    return theme if isinstance(theme, str) and theme in THEMES else "auto"


def time_zone() -> ZoneInfo:
    """The person's own zone, else the organisation's."""
    return _zone(_chosen_zone() or "UTC")


def is_zone_chosen() -> bool:
    """Whether times are in a zone that the reader knows of: on public pages they are not."""
    return bool(_chosen_zone())


def time_zone_name() -> str:
    return time_zone().key


def _chosen_zone() -> str:
    tenant = tenant_or_none()
    return getattr(_person(), "time_zone", "") or (tenant.time_zone if tenant else "")


@lru_cache(maxsize=700)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _person() -> object:
    # Public pages have no login, and jobs that write mails have no request.
    if not has_request_context() or not hasattr(current_app, "login_manager"):
        return None
    return current_user
