"""How this package keeps its promises: cookies are known, and a change of the statement is announced in time."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request

from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.trust.privacy.queries import looks_of_the_probe, standing
from qikbiz.web.cookies import COOKIES
from qikbiz.web.formats import day


def the_notice() -> Sequence[Fact]:
    """What stands, what comes, and when the notice was last seen."""
    now = standing()
    facts = [("In force", f"Version {now.in_force.number}, since {day(now.in_force.takes_effect_on)}")]
    if now.announced is None:
        facts.append(("Announced", "None"))
    else:
        facts.append(("Announced", f"Version {now.announced.number}, for {day(now.announced.takes_effect_on)}"))
    for seen in looks_of_the_probe(limit=1):
        facts.append(("Last notice check", f"{day(seen.seen_at)}: {seen.remark}"))
    return facts


def the_cookies() -> Sequence[Fact]:
    """How many there are of each kind, and what this browser holds."""
    persistent = sum(cookie.is_persistent for cookie in COOKIES)
    held = sum(cookie.name in request.cookies for cookie in COOKIES) if request else 0
    return (
        ("Cookies we set", f"{len(COOKIES) - persistent} session, {persistent} persistent"),
        ("In this browser now", str(held)),
    )


KEEPINGS = (
    Keeping(
        "P1",
        "Every cookie is declared in one registry with its purpose, duration and type, and can only be set through "
        "it. The cookie page is generated from this registry. Our tests collect every cookie that any page sets. A "
        "cookie that is not registered, or that lasts longer than declared, fails the whole test run.",
        place="cookies.index",
        place_name="Cookies",
        evidence=the_cookies,
        try_it="Compare the list with the cookies that your browser's developer tools show for this address.",
    ),
    Keeping(
        "P4",
        "The sign-in page sets a cookie before it asks for a password. A browser that does not return it, or loses "
        "its session cookie after signing in, gets a page that explains how to allow cookies in each common "
        "browser, and not the sign-in page again. Blocked cookies never count as suspicious activity.",
        place="cookies.index",
        place_name="Cookies",
        try_it="Block cookies for this address and try to sign in. A page explains how to allow them again.",
    ),
    Keeping(
        "P19",
        "Each version is announced in a part of our database that the application can't write to directly. The "
        "database uses its own clock, counts business days in a calendar with weekends and the public holidays of "
        "every named country, and refuses an earlier date. A banner on all public pages links to the announced "
        "text beside the one in force, with every changed word marked, and your administrators get an email. A "
        "probe checks the notice four times a day; a day without it extends the period by a business day.",
        evidence=the_notice,
    ),
)
