"""The mails about logins. The links in them open a login, so they are secrets until used."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.identity.outgoing_email import OUTGOING_EMAIL


def send_invitation(realm: Realm, account: Account, url: str, *, invited_by: str = "") -> None:
    template = "invitation" if realm.tenant else "staff_invitation"
    _send(realm, account, template, {"url": url, "invited_by": invited_by, "days": 7})


def send_password_link(realm: Realm, account: Account, url: str) -> None:
    _send(realm, account, "password_reset", {"url": url, "hours": 1})


def send_mailed_code(realm: Realm, account: Account, code: str, device: str, place: str) -> None:
    values = {"code": code, "device": device, "place": place, "url": realm.url("/forgot")}
    _send(realm, account, "mailed_code", values)


def send_password_changed(realm: Realm, account: Account) -> None:
    _send(realm, account, "password_changed", {"url": realm.url("/forgot")})


def words_for_moment(realm: Realm, account: Account, at: datetime) -> str:
    """In the account's own zone, which is named."""
    zone = account.time_zone or (realm.tenant.time_zone if realm.tenant else "UTC")
    return f"{at.astimezone(ZoneInfo(zone)):%-d %B %Y, %H:%M} ({zone})"


def send_theft_detected(
    realm: Realm,
    account: Account,
    at: datetime,
    *,
    used_now: tuple[str, str],
    used_before: str,
    remembered_as: tuple[str, str],
) -> None:
    """`used_now` is the (device, network) that showed the old token, `remembered_as` the one that was remembered.

    `used_before` says in words who signed in by it last. Either of the two may be the thief.
    """
    values = {
        "when": words_for_moment(realm, account, at),
        "used_now": ", ".join(used_now),
        "used_before": used_before or "unknown",
        "remembered_as": ", ".join(remembered_as),
    }
    _send(realm, account, "theft_detected", values | {"url": realm.url("/login"), "forgot_url": realm.url("/forgot")})


def send_new_device(
    realm: Realm, account: Account, device: str, place: str, *, is_remembered: bool = False, is_return: bool = False
) -> None:
    """`is_remembered`: it stays signed in from now on. `is_return`: it was remembered, and signed in by itself."""
    values = {"device": device, "place": place, "is_remembered": is_remembered, "is_return": is_return}
    _send(realm, account, "new_device", values | {"url": realm.url("/profile/sessions")})


def send_sign_in_changed(realm: Realm, account: Account, what: str, more: str) -> None:
    """`what` is the subject and `more` one or two sentences."""
    _send(realm, account, "sign_in_changed", {"what": what, "more": more, "url": realm.url("/profile/security")})


def send_break_glass_used(realm: Realm, account: Account, *, who: str, email: str) -> None:
    _send(realm, account, "break_glass_used", {"who": who, "email": email, "url": realm.url("/audit")})


def send_operator_login(realm: Realm, account: Account, *, user: Account, role: str, by: str, is_made: bool) -> None:
    """To an administrator: a command of ours made the first login (`is_made`), or asks for one."""
    values = {"by": by, "login_name": user.name, "login_email": user.email, "role": role, "is_made": is_made}
    _send(realm, account, "operator_login", values | {"url": realm.url(f"/users/{user.id}")})


def _send(realm: Realm, account: Account, template: str, values: Mapping[str, object]) -> None:
    email = OUTGOING_EMAIL.value
    send = email.send if realm.tenant else email.send_platform
    send(
        template,
        to_address=account.email,
        to_name=account.name,
        values={"organisation": realm.name, "name": account.name, **values},
        category="security",
        # Each act sends its own mail: nothing is to be held back as said before.
        dedupe_key=f"{template}:{account.id}:{secrets.token_hex(8)}",
    )
