"""Setting up a second factor in the middle of a sign-in, where the policy requires one."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from qikbiz.identity.accounts.realms import Account, current_realm
from qikbiz.identity.login.login_steps import (
    SET_UP_FACTOR,
    go_on,
    pending_login_at,
)
from qikbiz.identity.login.pending_login import PendingLogin
from qikbiz.identity.mfa import challenges, passkeys
from qikbiz.identity.mfa.actions import add_app, add_passkey
from qikbiz.identity.mfa.enrolment import app_page, secret_of
from qikbiz.identity.mfa.failures import PasskeyRefused, WrongCode
from qikbiz.identity.mfa.forms import AppForm, NewPasskeyForm
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission


@access(Permission.PUBLIC)
def set_up() -> ResponseReturnValue:
    pending_login_at(SET_UP_FACTOR)
    return render_template("mfa/set_up.html", form=NewPasskeyForm(name="This device"), realm=current_realm())


@access(Permission.PUBLIC)
def set_up_question() -> ResponseReturnValue:
    _half, account = pending_login_at(SET_UP_FACTOR)
    return passkeys.options_response(passkeys.options_to_create(current_realm(), account, challenges.ask("enrol"), ()))


@access(Permission.PUBLIC)
def set_up_passkey() -> ResponseReturnValue:
    half, account = pending_login_at(SET_UP_FACTOR)
    form, realm = NewPasskeyForm(), current_realm()
    if form.validate_on_submit():
        try:
            codes = add_passkey(realm, account, form.credential.data or "", form.name.data or "", "enrol", keep=None)
        except PasskeyRefused as refused:
            form.form_errors.append(refused.text)
        else:
            return _set_up_done(half, account, "passkey", codes)
    return render_template("mfa/set_up.html", form=form, realm=realm), 422


@access(Permission.PUBLIC)
def set_up_app() -> ResponseReturnValue:
    half, account = pending_login_at(SET_UP_FACTOR)
    return app_page("mfa/set_up_app.html", current_realm(), account, half.place)


@access(Permission.PUBLIC)
def finish_app() -> ResponseReturnValue:
    half, account = pending_login_at(SET_UP_FACTOR)
    form, realm = AppForm(), current_realm()
    secret = secret_of(realm, account, half.place, form.setup.data)
    if form.validate_on_submit():
        try:
            codes = add_app(realm, account, secret, form.code.data or "", keep=None)
        except WrongCode as wrong:
            form.code.errors = [wrong.text]
        else:
            return _set_up_done(half, account, "app", codes)
    return app_page("mfa/set_up_app.html", realm, account, half.place, form=form, secret=secret), 422


def add_enrolment_routes(blueprint: Blueprint) -> None:
    """Add the pages that set up a second factor to a blueprint."""
    blueprint.add_url_rule("/login/set-up", view_func=set_up, methods=["GET"])
    blueprint.add_url_rule("/login/set-up/app", view_func=set_up_app, methods=["GET"])
    for path, view in (
        ("question", set_up_question),
        ("passkey", set_up_passkey),
        ("app", finish_app),
    ):
        blueprint.add_url_rule(f"/login/set-up/{path}", view_func=view, methods=["POST"])


def _set_up_done(half: PendingLogin, account: Account, kind: str, codes: list[str]) -> str:
    target = go_on(current_realm(), account, half.kept(shown=kind))
    return render_template("mfa/codes_at_login.html", codes=codes, target=target, account=account)
