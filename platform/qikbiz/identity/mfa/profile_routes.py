"""Everyone's own page “Sign-in & security”: password, passkeys, authenticator app, recovery codes."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.identity.accounts.queries import account_for_change
from qikbiz.identity.accounts.realms import Account, current_realm
from qikbiz.identity.mfa import actions, challenges, passkeys
from qikbiz.identity.mfa.enrolment import app_page, secret_of
from qikbiz.identity.mfa.failures import PasskeyRefused, WrongCode
from qikbiz.identity.mfa.forms import AppForm, NameForm, NewPasskeyForm
from qikbiz.identity.mfa.queries import app_of, codes_left, passkeys_of
from qikbiz.identity.sign_in_policy.queries import needs_factor
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission
from qikbiz.web.flash import show_toast


@access(Permission.SIGNED_IN)
def security() -> ResponseReturnValue:
    realm = current_realm()
    return render_template(
        "mfa/security.html",
        passkeys=passkeys_of(realm, current_user.id),
        app=app_of(realm, current_user.id),
        codes_left=codes_left(realm, current_user.id),
        is_required=needs_factor(realm, current_user),
        host=passkeys.host(),
    )


@access(Permission.SIGNED_IN, fresh=True)
def new_passkey() -> ResponseReturnValue:
    return render_template("mfa/new_passkey.html", form=NewPasskeyForm())


@access(Permission.SIGNED_IN, fresh=True)
def new_passkey_question() -> ResponseReturnValue:
    account, realm = _own_login(), current_realm()
    known = passkeys_of(realm, account.id)
    return passkeys.options_response(passkeys.options_to_create(realm, account, challenges.ask("add"), known))


@access(Permission.SIGNED_IN, fresh=True)
def add_passkey() -> ResponseReturnValue:
    form, keep = NewPasskeyForm(), current_user.session_key
    if form.validate_on_submit():
        answer, name = form.credential.data or "", form.name.data or ""
        try:
            codes = actions.add_passkey(current_realm(), _own_login(), answer, name, "add", keep=keep)
        except PasskeyRefused as refused:
            form.form_errors.append(refused.text)
        else:
            return _added(f"The passkey “{name}” added. You were signed out everywhere else.", codes)
    return render_template("mfa/new_passkey.html", form=form), 422


@access(Permission.SIGNED_IN)
def rename_passkey(passkey_id: UUID) -> ResponseReturnValue:
    form = NameForm()
    if form.validate_on_submit():
        actions.rename_passkey(current_realm(), current_user, passkey_id, form.name.data or "")
        show_toast("Passkey renamed.")
    else:
        show_toast(" ".join(form.name.errors), kind="failed")
    return redirect(url_for(".security"), 303)


@access(Permission.SIGNED_IN, fresh=True)
def remove_passkey(passkey_id: UUID) -> ResponseReturnValue:
    name = actions.remove_passkey(current_realm(), current_user, passkey_id)
    show_toast(f"Passkey “{name}” removed. Delete it on the device too.")
    return redirect(url_for(".security"), 303)


@access(Permission.SIGNED_IN, fresh=True)
def new_app() -> ResponseReturnValue:
    return app_page("mfa/new_app.html", current_realm(), _own_login(), current_user.session_key)


@access(Permission.SIGNED_IN, fresh=True)
def add_app() -> ResponseReturnValue:
    form, realm, account, key = AppForm(), current_realm(), _own_login(), current_user.session_key
    secret = secret_of(realm, account, key, form.setup.data)
    if form.validate_on_submit():
        try:
            codes = actions.add_app(realm, account, secret, form.code.data or "", keep=key)
        except WrongCode as wrong:
            form.code.errors = [wrong.text]
        else:
            return _added("Authenticator app set up. You were signed out everywhere else.", codes)
    return app_page("mfa/new_app.html", realm, account, key, form=form, secret=secret), 422


@access(Permission.SIGNED_IN, fresh=True)
def remove_app() -> ResponseReturnValue:
    actions.remove_app(current_realm(), current_user)
    show_toast("Authenticator app removed.")
    return redirect(url_for(".security"), 303)


@access(Permission.SIGNED_IN, fresh=True)
def make_recovery_codes() -> ResponseReturnValue:
    codes = actions.make_recovery_codes(current_realm(), current_user)
    return render_template("mfa/codes.html", codes=codes, said="")


def add_security_routes(blueprint: Blueprint) -> None:
    """Add the pages about one's own factors to a blueprint."""
    for path, page, act in (
        ("/profile/security/passkeys/new", new_passkey, None),
        ("/profile/security/passkeys", None, add_passkey),
        ("/profile/security/passkeys/question", None, new_passkey_question),
        ("/profile/security/passkeys/<uuid:passkey_id>/name", None, rename_passkey),
        ("/profile/security/passkeys/<uuid:passkey_id>/removal", None, remove_passkey),
        ("/profile/security/app", new_app, add_app),
        ("/profile/security/app/removal", None, remove_app),
        ("/profile/security/recovery-codes", None, make_recovery_codes),
        ("/profile/security", security, None),
    ):
        if page is not None:
            blueprint.add_url_rule(path, view_func=page, methods=["GET"])
        if act is not None:
            blueprint.add_url_rule(path, view_func=act, methods=["POST"])


def _own_login() -> Account:
    realm = current_realm()
    return account_for_change(realm.work, realm, current_user.id)


def _added(said: str, codes: list[str]) -> ResponseReturnValue:
    if codes:
        return render_template("mfa/codes.html", codes=codes, said=said)
    show_toast(said)
    return redirect(url_for(".security"), 303)
