"""How to allow cookies, browser by browser, in the words of their own menus (P4)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrowserHelp:
    """`marks` are parts of the name by which a browser introduces itself; `steps` are what its person does."""

    name: str
    marks: tuple[str, ...]
    steps: tuple[str, ...]


# The first whose mark is found is the visitor's: every browser's name also contains that of older ones.
BROWSERS = (
    BrowserHelp(
        "Microsoft Edge",
        ("Edg/", "EdgA/", "EdgiOS/"),
        (
            "Open the menu with the three dots, then Settings.",
            "Choose “Cookies and site permissions”, then “Manage and delete cookies and site data”.",
            "Switch on “Allow sites to save and read cookie data”.",
        ),
    ),
    BrowserHelp(
        "Samsung Internet",
        ("SamsungBrowser/",),
        ("Open the menu, then Settings.", "Choose “Personal browsing data”.", "Switch on “Accept cookies”."),
    ),
    BrowserHelp(
        "Firefox",
        ("Firefox/", "FxiOS/"),
        (
            "Click the shield at the left of the address.",
            "If cookies are blocked there, switch the protection off for this site.",
            "Or open Settings, “Privacy & Security”, and choose “Standard” for the protection from tracking.",
        ),
    ),
    BrowserHelp(
        "Google Chrome",
        ("CriOS/", "Chrome/"),
        (
            "Click the symbol at the left of the address, then “Cookies and site data”.",
            "If this site is listed under “Not allowed to use cookies”, allow it.",
            "Or open Settings, “Privacy and security”, and let sites save data on your device.",
        ),
    ),
    BrowserHelp(
        "Safari on iPhone or iPad",
        ("iPhone", "iPad"),
        ("Open the Settings app, then Safari.", "Switch off “Block All Cookies”, in newer versions under “Advanced”."),
    ),
    BrowserHelp(
        "Safari on a Mac",
        ("Safari/",),
        ("Open Safari, Settings, then “Privacy” or “Advanced”.", "Untick “Block all cookies”."),
    ),
)


def help_for(user_agent: str) -> tuple[BrowserHelp, ...]:
    """All of them, the visitor's own first."""
    own = next((one for one in BROWSERS if any(mark in user_agent for mark in one.marks)), None)
    return tuple(sorted(BROWSERS, key=lambda one: one is not own)) if own else BROWSERS


def is_known(user_agent: str) -> bool:
    return any(mark in user_agent for one in BROWSERS for mark in one.marks)
