"""The sidebars. An entry shows when its page exists and the user may see it."""

from functools import cache
from itertools import groupby

from flask import current_app, url_for
from flask_login import current_user

from qikbiz.kernel.feature import Feature, NavigationEntry, Sidebar, derived
from qikbiz.kernel.permissions import permission_named


@cache
def path_of(endpoint: str) -> str:
    """The address of a page that takes no values. It is the same at every request, and a page links to some thirty."""
    return url_for(endpoint)


@derived
def sidebars(features: tuple[Feature, ...]) -> dict[Sidebar, list[NavigationEntry]]:
    """The entries of each sidebar in their order. Raises ValueError where two features want one position."""
    entries = sorted((entry for feature in features for entry in feature.navigation), key=lambda one: one.position)
    found: dict[Sidebar, list[NavigationEntry]] = {}
    for entry in entries:
        before = found.setdefault(entry.sidebar, [])
        if before and before[-1].position == entry.position:
            raise ValueError(f"{entry.key} and {before[-1].key} want position {entry.position} of {entry.sidebar}.")
        before.append(entry)
    return found


def tenant_navigation() -> list[NavigationEntry]:
    return _visible("tenant")


def settings_navigation() -> list[NavigationEntry]:
    return _visible("settings")


def console_navigation() -> list[NavigationEntry]:
    return _visible("console")


def settings_groups() -> list[tuple[str, list[NavigationEntry]]]:
    """The list at the left of settings: (heading, its entries), without what the user may not see."""
    return [(name, list(entries)) for name, entries in groupby(settings_navigation(), key=lambda entry: entry.group)]


def endpoint_exists(name: str) -> bool:
    return name in current_app.view_functions


def _visible(sidebar: Sidebar) -> list[NavigationEntry]:
    entries = sidebars().get(sidebar, [])
    return [entry for entry in entries if endpoint_exists(entry.endpoint) and _may_see(entry)]


def _may_see(entry: NavigationEntry) -> bool:
    return not entry.permission or bool(current_user.can(permission_named(entry.permission)))
