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
        "A meter shows how strong a password is while you choose it, and passwords from published leaks are refused. "
        "Every user can add passkeys and an authenticator app, with ten recovery codes for a lost phone. A password "
        "reset does not bypass them. Each change of an account, and each sign-in from a new device or network, is "
        "reported to the user by email. Changing the password asks for the old one and ends all other sessions. Failed "
        "attempts by others don't lock you out: after many of them, sign-in asks for an emailed code beside the right "
        "password, and a passkey always works.",
        place="accounts.security",
        place_name="Sign-in & security",
        evidence=_evidence,
        try_it="Type a password into the form and watch the meter, or add a passkey and sign in with it.",
    ),
)
