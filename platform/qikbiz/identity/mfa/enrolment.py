"""The page that sets up an authenticator app: a square code for the camera, and the same secret to type."""

from __future__ import annotations

from flask import render_template

from config.keys import SealBroken
from qikbiz.identity.accounts.failures import PendingLoginEnded
from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.identity.mfa import totp
from qikbiz.identity.mfa.forms import AppForm
from qikbiz.web.markup import square_code


def app_page(
    template: str, realm: Realm, account: Account, place: bytes, *, form: AppForm | None = None, secret: str = ""
) -> str:
    """`place` is the session or pending login that the set-up belongs to; a new secret unless one is given."""
    secret = secret or totp.new_secret()
    form = form or AppForm()
    form.setup.data = totp.seal_for_form(realm, account.id, place, secret)
    spelled = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    drawing = square_code(totp.address_for_app(realm, account.email, secret))
    return render_template(template, form=form, drawing=drawing, spelled=spelled, account=account)


def secret_of(realm: Realm, account: Account, place: bytes, sealed: str | None) -> str:
    """The secret that the form carries. Raises PendingLoginEnded for one of another session, person or place."""
    try:
        return totp.open_from_form(realm, account.id, place, sealed or "")
    except SealBroken:
        raise PendingLoginEnded("Start the app setup again.") from None
