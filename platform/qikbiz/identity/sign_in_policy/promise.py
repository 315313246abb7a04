"""How promises P16 and P9 are kept where the organisation decides itself: its policy and its networks."""

from __future__ import annotations

from collections.abc import Sequence

from qikbiz.identity.accounts.realms import current_realm
from qikbiz.identity.sign_in_policy.queries import count_without_factor, policy_of
from qikbiz.identity.sign_in_policy.rules import Policy
from qikbiz.identity.sso.queries import label_on_offer
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.web.formats import count

_FACTOR_FOR = {"nobody": "Everybody decides", "roles": "People with some roles", "everyone": "Everybody"}


def _policy() -> Sequence[Fact]:
    policy = policy_of(current_realm())
    return [
        ("People log in", _ways(policy)),
        ("Shortest password", count(policy.least_characters, "character")),
        ("Second factor", _FACTOR_FOR[policy.factor_for]),
        ("People who still have to set one up", str(count_without_factor(policy))),
        ("A login ends after", f"{policy.idle_minutes} minutes without use, {policy.absolute_hours} hours at most"),
        ("Remembered devices", count(policy.remember_days, "day") if policy.may_remember else "None allowed"),
    ]


def _ways(policy: Policy) -> str:
    label = label_on_offer(current_realm())
    if policy.sso_only:
        return f"Only by single sign-on ({label})"
    return f"With a password, a passkey, or by single sign-on ({label})" if label else "With a password or a passkey"


def _networks() -> Sequence[Fact]:
    networks = policy_of(current_realm()).networks
    return [("Networks that may log in", ", ".join(networks) if networks else "All; you have listed none")]


KEEPINGS = (
    Keeping(
        "P16",
        "An administrator sets how people log in (with a password or passkey, or only by single sign-on through your "
        "own identity provider), how long passwords must be, who needs a second factor, how long logins and "
        "remembered devices last, and from which networks people log in. The policy can ask for more than QikBiz asks "
        "of everybody and never for less, which the database enforces too. Every way to set a password gives the same "
        "verdict, and when the policy gets stricter a password is judged anew the next time it is given, at a login or "
        "to confirm: a remembered device asks for it once more, and a break-glass code is no exception. A passkey and "
        "single sign-on show no password, and log in without one.",
        place="policy.index",
        place_name="Sign-in policy",
        evidence=_policy,
        try_it="Raise the shortest password and look at the preview: it says whom the change would ask for a new one.",
    ),
    Keeping(
        "P9",
        "Your organisation can list the networks from which people may log in. The list is asked at every login, at "
        "every click, and when a remembered device comes back. It can't be saved by somebody whom it would lock out, "
        "and a break-glass code lets one administrator in from anywhere, once, with a mail to all administrators.",
        place="policy.index",
        place_name="Sign-in policy",
        evidence=_networks,
        try_it="List a network that does not hold your own address: the page refuses to save it.",
    ),
)
