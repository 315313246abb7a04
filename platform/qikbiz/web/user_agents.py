"""A device in a few plain words, for lists of sessions and logs: “Firefox on Windows”. Nothing is decided on it."""

from __future__ import annotations

from flask import request

# The first that is found wins: every browser's name also contains that of older ones.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_of_request() -> str:
    return device(request.headers.get("User-Agent", ""))


def device(user_agent: str) -> str:
    """`Chrome on Linux`, or `Unknown browser`."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "Unknown browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser
