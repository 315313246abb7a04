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
        return ["Passwords and passkeys open the product again. Who joined without a password can ask for one by mail."]
    ended, devices = count_sessions(began_otherwise()), count_remembered()
    return [
        "Passwords, passkeys, mailed links and remembered devices open nothing any more: everybody logs in by single "
        "sign-on, and confirms there that it is them.",
        f"{count(ended, 'login')} that began otherwise, and {count(devices, 'remembered device')}, end at once. Yours "
        "goes on.",
        "Only people with an account at your provider get in from now on. A break-glass code lets an administrator in "
        "by password on the day the provider is away; you are shown one when you save, if there is none.",
    ]


def _of_passwords(before: Policy, after: Policy) -> list[str]:
    said = []
    if after.least_characters > before.least_characters:
        said.append(
            f"A user whose password has fewer than {after.least_characters} characters is asked for a new one the next "
            "time it is given: at a login, by a break-glass code too, or to confirm. How many these are can't be said: "
            "of passwords only hashes are kept."
        )
    if _is_stricter(before, after):
        said += _of_stricter_passwords()
    if after.least_characters < before.least_characters:
        said.append(f"New passwords may have {after.least_characters} characters instead of {before.least_characters}.")
    if after.asks_range_service and not before.asks_range_service:
        said.append("Passwords are also looked up in the published lists of leaked ones, at the next login too.")
    if before.asks_range_service and not after.asks_range_service:
        said.append("Passwords are looked up only in the lists that lie here.")
    return said


def _of_stricter_passwords() -> list[str]:
    people, alone = count_with_password(), count_with_password(has_passkey())
    devices, inside = count_remembered(), count_sessions(UserSession.series_hash.is_not(None))
    judged = f"The {count(people, 'password')} of this organisation will be judged the next time they are given."
    if alone:
        without = f"{count(alone, 'person', 'people')} can log in by a passkey alone, which asks for no password."
        judged = f"{judged} {without}"
    return [
        f"{judged} {count(devices, 'remembered device')} will ask for the password once more instead of logging in "
        f"alone; {_go_on(inside, 'of such a device')}."
    ]


def _go_on(logins: int, whose: str) -> str:
    """What the change leaves as it is, in half a sentence."""
    are, go = ("is", "goes") if logins == 1 else ("are", "go")
    return f"{count(logins, 'login')} {whose} that {are} open now {go} on until the end"


def _is_stricter(before: Policy, after: Policy) -> bool:
    return after.least_characters > before.least_characters or (
        after.asks_range_service and not before.asks_range_service
    )


def _of_factors(before: Policy, after: Policy) -> list[str]:
    if (after.factor_for, after.factor_roles) == (before.factor_for, before.factor_roles):
        return []
    if after.factor_for == "nobody":
        return ["Nobody is obliged to have a second factor any more. Those that people have stay in force."]
    asked = count_without_factor(after)
    have = "person has" if asked == 1 else "people have"
    if not asked:
        return ["Everybody who will need a second factor has one already."]
    theirs = people_without_factor(after)
    devices = count_remembered(RememberSeries.user_id.in_(theirs))
    inside = count_sessions(UserSession.person_id.in_(theirs))
    return [
        f"{asked} {have} no second factor and will be asked to set one up at the next login. "
        f"{count(devices, 'remembered device')} of theirs will ask for the password instead of logging in alone; "
        f"{_go_on(inside, 'of theirs')}."
    ]


def _of_lives(before: Policy, after: Policy) -> list[str]:
    said = []
    if after.absolute < before.absolute or after.idle < before.idle:
        over = (UserSession.created_at + after.absolute <= now()) | (UserSession.last_seen_at + after.idle <= now())
        ended, all_ = count_sessions(over), count_sessions()
        said.append(f"The {count(all_, 'session')} in force are held to the new limits; {ended} of them end at once.")
    if after.absolute > before.absolute or after.idle > before.idle:
        said.append("Logins from now on last longer.")
    return said


def _of_remembering(before: Policy, after: Policy) -> list[str]:
    if after.remember_days == before.remember_days:
        return []
    if not after.may_remember:
        known = count_remembered()
        forgotten = f"{count(known, 'remembered device')} will be forgotten, and none" if known else "No device"
        return [f"{forgotten} can be remembered any more."]
    if after.remember < before.remember:
        over = count_remembered(RememberSeries.rotated_at + after.remember <= now())
        return [f"Remembered devices end {after.remember_days} days after their last use; {over} of them end at once."]
    return [f"Devices may be remembered for {count(after.remember_days, 'day')}."]


def _of_networks(before: Policy, after: Policy) -> list[str]:
    if after.networks == before.networks:
        return []
    if not after.networks:
        return ["Everybody may log in from anywhere again."]
    where, devices = address_of_request(), count_remembered()
    logs = "logs" if devices == 1 else "log"
    return [
        f"Logging in works only from {count(len(after.networks), 'network')}. Who is logged in elsewhere is stopped at "
        f"the next click, and {count(devices, 'remembered device')} {logs} in alone only from there too. You are at "
        f"{where}, which is inside."
    ]
