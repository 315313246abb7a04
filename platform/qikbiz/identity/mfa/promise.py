"""How promise P10 is kept: customers can keep names and passwords safe."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from qikbiz.identity.accounts.models import User, UserFactor
from qikbiz.kernel.database import db
from qikbiz.kernel.evidence import Fact, Keeping


def _evidence() -> Sequence[Fact]:
    with_factor = select(UserFactor.person_id).where(UserFactor.kind != "recovery").distinct()
    active = select(func.count()).select_from(User).where(User.state == "active")
    passkeys = select(func.count()).select_from(UserFactor).where(UserFactor.kind == "passkey")
    have = db.session.scalar(active.where(User.id.in_(with_factor))) or 0
    return [
        ("People with a second factor", f"{have} of {db.session.scalar(active) or 0}"),
        ("Passkeys", str(db.session.scalar(passkeys) or 0)),
    ]


KEEPINGS = (
    Keeping(
        "P10",
        "A meter says in words how good a password is while you choose it, and passwords from published leaks are "
        "refused. Everybody can add passkeys and an authenticator app, with ten recovery codes for the day a phone is "
        "lost; a new password by mail does not get round them. Each change of a login, and each login from a new "
        "device or network, is told to its owner by mail, and changing the password asks for the old one and ends all "
        "other sessions. Nobody else's tries keep you out: after many of them, a code by mail is asked for beside the "
        "right password, and a passkey always works.",
        place="accounts.security",
        place_name="Sign-in & security",
        evidence=_evidence,
        try_it="Type a password into the form and watch the meter, or add a passkey and sign in with it.",
    ),
)
