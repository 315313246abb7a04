"""How this room keeps its promises: cookies are known, and a change of the statement is announced in time."""

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
        facts.append(("Announced", "Nothing at present"))
    else:
        facts.append(("Announced", f"Version {now.announced.number}, for {day(now.announced.takes_effect_on)}"))
    for seen in looks_of_the_probe(limit=1):
        facts.append(("Notice last looked for", f"{day(seen.seen_at)}: {seen.remark}"))
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
        "Every cookie is declared in one registry, with what it is for, how long it stays and of which kind it is, "
        "and can be set only through it. The cookie page is made from that registry. While our tests run, every cookie "
        "that any page sets is collected, and a single one that is not registered, or stays longer than it says there, "
        "makes the whole run fail.",
        place="cookies.index",
        place_name="Cookies",
        evidence=the_cookies,
        try_it="Compare the list with the cookies that your browser's own tools show for this address.",
    ),
    Keeping(
        "P4",
        "Before anyone is asked for a password, the login page hands out a cookie. A browser that does not give it "
        "back, or comes back from a login without its session, gets a page that says so and how to allow cookies in "
        "each common browser, and never the login once more. Refusing cookies counts against no address.",
        place="cookies.index",
        place_name="Cookies",
        try_it="Block cookies for this address and try to sign in: a page says how to allow them again.",
    ),
    Keeping(
        "P19",
        "Each version is announced in a part of our database that the program itself can only read and ask. It takes "
        "the moment from its own clock, counts business days in a calendar in which weekends and the holidays of every "
        "named country are closed, and refuses an earlier day. The announced text stands beside the one in force, with "
        "every changed word marked, on all public pages and for your administrators, who get a mail. Four times a day "
        "a probe looks whether the notice is there; a day without it makes the wait a business day longer.",
        evidence=the_notice,
    ),
)
