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
        ("Your active sessions", str(count_sessions(UserSession.person_id == current_user.id))),
        ("Active sessions in your workspace", str(count_sessions())),
    ]


def _remembered() -> Sequence[Fact]:
    days = policy_of(current_realm()).remember_days
    return [
        ("Your remembered devices", str(count_remembered(RememberSeries.user_id == current_user.id))),
        ("How long a device is remembered", f"{days} days without use" if days else "Not at all"),
    ]


KEEPINGS = (
    Keeping(
        "P2",
        "Each session gets its own random identifier, encrypted in the cookie and tied to the account, the address and "
        "the workspace. You see where you are signed in, with device, network and time, and end one or all sessions. "
        "Administrators see and end those of their users, who get an email about it.",
        place="accounts.sessions",
        place_name="Signed-in devices",
        evidence=_sessions,
        try_it="Sign in from a second browser, then end that session here. Its next click leads to the sign-in page.",
    ),
    Keeping(
        "P3",
        "“Stay signed in on this device” saves signing in each time: a one-time token is exchanged at each return, and "
        "a stolen one is detected. The user gets an email about each newly remembered device and each return from a "
        "new browser or network. Your workspace can shorten the time or turn this off, which ends all remembered "
        "devices.",
        place="accounts.sessions",
        place_name="Signed-in devices",
        evidence=_remembered,
        try_it="Sign in with “Stay signed in” ticked, close the browser and open it again. Then end it here.",
    ),
)
