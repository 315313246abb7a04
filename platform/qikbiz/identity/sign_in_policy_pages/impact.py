"""What a change of the policy will do, in sentences, before it is saved."""

from __future__ import annotations

from qikbiz.identity.accounts.models import RememberSeries, UserSession
from qikbiz.identity.sign_in_policy.networks import address_of_request
from qikbiz.identity.sign_in_policy.queries import (
    count_remembered,
    count_sessions,
    count_with_password,
    count_without_factor,
    has_passkey,
    people_without_factor,
)
from qikbiz.identity.sign_in_policy.rules import Policy
from qikbiz.identity.sign_in_policy.sso_only import began_otherwise
from qikbiz.kernel.clock import now
from qikbiz.web.formats import count


def consequences(before: Policy, after: Policy) -> list[str]:
    """Nothing for what stays as it is."""
    return [*_of_sign_in(before, after), *_of_passwords(before, after), *_of_factors(before, after),
            *_of_lives(before, after), *_of_remembering(before, after), *_of_networks(before, after)]  # fmt: skip


def _of_sign_in(before: Policy, after: Policy) -> list[str]:
    if after.sso_only == before.sso_only:
        return []
    if not after.sso_only:
        return ["Users can sign in with passwords and passkeys again. Users without a password can set one by email."]
    ended, devices = count_sessions(began_otherwise()), count_remembered()
    return [
        "Passwords, passkeys, emailed links and remembered devices stop working. Everyone signs in and confirms their "
        "identity by single sign-on.",
        f"{count(ended, 'session')} started another way and {count(devices, 'remembered device')} end immediately. "
        "Your session continues.",
        "Only users with an account at your provider can sign in. When the provider is down, an administrator can use "
        "an emergency code with their password. You get one when you save, if there is none.",
    ]


def _of_passwords(before: Policy, after: Policy) -> list[str]:
    said = []
    if after.least_characters > before.least_characters:
        said.append(
            f"Users whose password has fewer than {after.least_characters} characters choose a new one when they next "
            "enter it: to sign in, also with an emergency code, or to confirm their identity. We can't count them: we "
            "store only hashes of passwords."
        )
    if _is_stricter(before, after):
        said += _of_stricter_passwords()
    if after.least_characters < before.least_characters:
        said.append(f"New passwords may have {after.least_characters} characters instead of {before.least_characters}.")
    if after.asks_range_service and not before.asks_range_service:
        said.append("Passwords are also checked against published lists of leaked passwords, also at the next sign-in.")
    if before.asks_range_service and not after.asks_range_service:
        said.append("Passwords are checked only against the lists included with QikBiz.")
    return said


def _of_stricter_passwords() -> list[str]:
    people, alone = count_with_password(), count_with_password(has_passkey())
    devices, inside = count_remembered(), count_sessions(UserSession.series_hash.is_not(None))
    judged = f"{count(people, 'password')} will be checked at the next use."
    if alone:
        without = f"{count(alone, 'user')} can sign in with a passkey alone, without a password."
        judged = f"{judged} {without}"
    return [
        f"{judged} {count(devices, 'remembered device')} will ask for the password instead of signing in "
        f"automatically. {_go_on(inside, 'on these devices')}."
    ]


def _go_on(sessions: int, whose: str) -> str:
    """What the change leaves as it is, as a sentence without its full stop."""
    return f"{count(sessions, 'open session')} {whose} {'continues' if sessions == 1 else 'continue'}"


def _is_stricter(before: Policy, after: Policy) -> bool:
    return after.least_characters > before.least_characters or (
        after.asks_range_service and not before.asks_range_service
    )


def _of_factors(before: Policy, after: Policy) -> list[str]:
    if (after.factor_for, after.factor_roles) == (before.factor_for, before.factor_roles):
        return []
    if after.factor_for == "nobody":
        return ["A second factor becomes optional. Existing second factors stay active."]
    asked = count_without_factor(after)
    have = "user has" if asked == 1 else "users have"
    if not asked:
        return ["Everyone who needs a second factor has one already."]
    theirs = people_without_factor(after)
    devices = count_remembered(RememberSeries.user_id.in_(theirs))
    inside = count_sessions(UserSession.person_id.in_(theirs))
    return [
        f"{asked} {have} no second factor and will set one up at the next sign-in. Of these users, "
        f"{count(devices, 'remembered device')} will ask for the password instead of signing in automatically. "
        f"{_go_on(inside, 'of these users')}."
    ]


def _of_lives(before: Policy, after: Policy) -> list[str]:
    said = []
    if after.absolute < before.absolute or after.idle < before.idle:
        over = (UserSession.created_at + after.absolute <= now()) | (UserSession.last_seen_at + after.idle <= now())
        ended, all_ = count_sessions(over), count_sessions()
        said.append(f"The new limits apply to {count(all_, 'active session')}; {ended} of them end immediately.")
    if after.absolute > before.absolute or after.idle > before.idle:
        said.append("New sessions last longer.")
    return said


def _of_remembering(before: Policy, after: Policy) -> list[str]:
    if after.remember_days == before.remember_days:
        return []
    if not after.may_remember:
        known = count_remembered()
        forgotten = f" {count(known, 'remembered device')} will be forgotten." if known else ""
        return [f"Devices can no longer be remembered.{forgotten}"]
    if after.remember < before.remember:
        over = count_remembered(RememberSeries.rotated_at + after.remember <= now())
        return [
            f"Remembered devices end {after.remember_days} days after their last use; {over} of them end immediately."
        ]
    return [f"Devices may be remembered for {count(after.remember_days, 'day')}."]


def _of_networks(before: Policy, after: Policy) -> list[str]:
    if after.networks == before.networks:
        return []
    if not after.networks:
        return ["Users can sign in from any network."]
    where, devices = address_of_request(), count_remembered()
    return [
        f"Users can sign in only from {count(len(after.networks), 'network')}. Sessions from other networks stop "
        f"immediately. {count(devices, 'remembered device')} will sign in automatically only from the listed networks. "
        f"Your address {where} is in the list."
    ]
