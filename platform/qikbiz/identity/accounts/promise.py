"""How promises P2 and P3 are kept: one identifier for each login, and devices that are remembered."""

from __future__ import annotations

from collections.abc import Sequence

from flask_login import current_user

from qikbiz.identity.accounts.models import RememberSeries, UserSession
from qikbiz.identity.accounts.realms import current_realm
from qikbiz.identity.sign_in_policy.queries import count_remembered, count_sessions, policy_of
from qikbiz.kernel.evidence import Fact, Keeping


def _sessions() -> Sequence[Fact]:
    return [
        ("Your own logins in force", str(count_sessions(UserSession.person_id == current_user.id))),
        ("Logins in force in your organisation", str(count_sessions())),
    ]


def _remembered() -> Sequence[Fact]:
    days = policy_of(current_realm()).remember_days
    return [
        ("Your own remembered devices", str(count_remembered(RememberSeries.user_id == current_user.id))),
        ("How long a device is remembered", f"{days} days without use" if days else "Not at all"),
    ]


KEEPINGS = (
    Keeping(
        "P2",
        "Each login gets a random identifier of its own, encrypted in the cookie and tied to the account, the address "
        "and the organisation. You see where you are logged in, with device, network and time, and end one or all; "
        "administrators see and end those of their users, who are told by mail.",
        place="accounts.sessions",
        place_name="Signed-in devices",
        evidence=_sessions,
        try_it="Sign in from a second browser, then end that session here. Its next click leads to the sign-in page.",
    ),
    Keeping(
        "P3",
        "Whoever ticks “Stay logged in on this device” needn't log in each time: a one-time token is exchanged at each "
        "return, and a stolen one is found out. The owner gets a mail about each newly remembered device and each "
        "return from a browser or network never seen before, and your organisation may shorten the time or switch it "
        "off, which ends all of them.",
        place="accounts.sessions",
        place_name="Signed-in devices",
        evidence=_remembered,
        try_it="Sign in with “Stay logged in” ticked, close the browser and open it again. Then end it here.",
    ),
)
