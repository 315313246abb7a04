"""How promises P16 and P9 are kept where the organisation decides itself: its policy and its networks."""

from __future__ import annotations

from collections.abc import Sequence

from qikbiz.identity.accounts.realms import current_realm
from qikbiz.identity.sign_in_policy.queries import count_without_factor, policy_of
from qikbiz.identity.sign_in_policy.rules import Policy
from qikbiz.identity.sso.queries import label_on_offer
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.web.formats import count

_FACTOR_FOR = {"nobody": "Optional for everyone", "roles": "Users with certain roles", "everyone": "Everyone"}


def _policy() -> Sequence[Fact]:
    policy = policy_of(current_realm())
    return [
        ("Sign-in methods", _ways(policy)),
        ("Minimum password length", count(policy.least_characters, "character")),
        ("Second factor", _FACTOR_FOR[policy.factor_for]),
        ("Users who still have to set one up", str(count_without_factor(policy))),
        ("A session ends after", f"{policy.idle_minutes} minutes without use, {policy.absolute_hours} hours at most"),
        ("Remembered devices", count(policy.remember_days, "day") if policy.may_remember else "None allowed"),
    ]


def _ways(policy: Policy) -> str:
    label = label_on_offer(current_realm())
    if policy.sso_only:
        return f"Single sign-on only ({label})"
    return f"Password, passkey or single sign-on ({label})" if label else "Password or passkey"


def _networks() -> Sequence[Fact]:
    networks = policy_of(current_realm()).networks
    return [("Allowed networks", ", ".join(networks) if networks else "All; you have listed none")]


KEEPINGS = (
    Keeping(
        "P16",
        "An administrator sets how users sign in (with a password or passkey, or only by single sign-on through your "
        "own identity provider), how long passwords must be, who needs a second factor, how long sessions and "
        "remembered devices last, and from which networks users sign in. The policy can be stricter than the rules of "
        "QikBiz, never weaker, which the database enforces too. The same rules apply everywhere a password is set. "
        "When the policy gets stricter, a password is checked again at its next use, to sign in or to confirm: a "
        "remembered device asks for it once, and an emergency code makes no exception. A passkey and single sign-on "
        "use no password, so they keep working.",
        place="policy.index",
        place_name="Sign-in policy",
        evidence=_policy,
        try_it="Raise the minimum password length and look at the preview: it says which users would choose a new one.",
    ),
    Keeping(
        "P9",
        "Your organisation can list the networks from which users may sign in. The list is checked at every sign-in, "
        "at every click, and when a remembered device comes back. An administrator can't save a list that would lock "
        "them out, and an emergency code lets one administrator sign in once from any network, with an email to all "
        "administrators.",
        place="policy.index",
        place_name="Sign-in policy",
        evidence=_networks,
        try_it="List a network without your own address: the page refuses to save it.",
    ),
)
