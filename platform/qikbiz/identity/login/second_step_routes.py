"""The steps between the right password and the product, and signing in by passkey. The same for users and for staff."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from qikbiz.identity.accounts import throttles
from qikbiz.identity.accounts.failures import WeakPassword
from qikbiz.identity.accounts.realms import Account, current_realm
from qikbiz.identity.login import password_changes, pending_login
from qikbiz.identity.login.login_steps import (
    NEW_PASSWORD,
    SHOW_FACTOR,
    SHOW_MAILED_CODE,
    go_on,
    open_session,
    pending_login_at,
    step_of,
)
from qikbiz.identity.login.mailed_codes import mail_code, use_code
from qikbiz.identity.mfa import challenges, passkeys
from qikbiz.identity.mfa.actions import show_code, show_passkey
from qikbiz.identity.mfa.failures import MoreNeeded, PasskeyRefused, WrongCode
from qikbiz.identity.mfa.forms import CodeForm, MailedCodeForm, NextPasswordForm, PasskeyForm
from qikbiz.identity.mfa.queries import app_of, passkeys_of
from qikbiz.identity.sign_in_policy.networks import require_inside
from qikbiz.identity.sign_in_policy.sso_only import require_way
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission
from qikbiz.web.flash import show_toast
from qikbiz.web.safe_redirect import own_path


@access(Permission.PUBLIC)
def passkey_question() -> ResponseReturnValue:
    return passkeys.options_response(passkeys.options_to_ask(challenges.ask("login")))


@access(Permission.PUBLIC)
def log_in_by_passkey() -> ResponseReturnValue:
    form, realm = PasskeyForm(), current_realm()
    form.refuse_unknown_fields()
    # Before the passkey is looked at: a sign-in from outside does not learn whether it is right.
    require_inside(realm)
    require_way(realm, "passkey")
    try:
        account = show_passkey(realm, form.credential.data or "", "login")
    except PasskeyRefused as refused:
        show_toast(refused.text, kind="failed")
        return redirect(url_for(".login", next=own_path(form.next.data)), 303)
    open_session(realm, account, "passkey")
    return redirect(own_path(form.next.data), 303)


@access(Permission.PUBLIC)
def second_step() -> ResponseReturnValue:
    _half, account = pending_login_at(SHOW_FACTOR)
    return _second_step_page(CodeForm(), account)


@access(Permission.PUBLIC)
def show_second_factor() -> ResponseReturnValue:
    half, account = pending_login_at(SHOW_FACTOR)
    form, realm = CodeForm(), current_realm()
    if form.validate_on_submit():
        try:
            place, is_vouched = throttles.requester(), half.mailed == "shown"
            shown = show_code(realm, account, form.code.data or "", place=place, is_vouched=is_vouched)
        except MoreNeeded:
            half.kept(mailed="needed")
            mail_code(realm, account)
            return redirect(SHOW_MAILED_CODE, 303)
        except WrongCode as wrong:
            form.code.errors = [wrong.text]
        else:
            return redirect(go_on(realm, account, half.kept(shown=shown)), 303)
    return _second_step_page(form, account), 401


@access(Permission.PUBLIC)
def mailed_code() -> ResponseReturnValue:
    _half, account = pending_login_at(SHOW_MAILED_CODE)
    return _mailed_code_page(MailedCodeForm(), account)


@access(Permission.PUBLIC)
def show_mailed_code() -> ResponseReturnValue:
    half, account = pending_login_at(SHOW_MAILED_CODE)
    form, realm = MailedCodeForm(), current_realm()
    if form.validate_on_submit():
        try:
            use_code(realm, account, form.code.data or "")
        except WrongCode as wrong:
            form.code.errors = [wrong.text]
        else:
            return redirect(go_on(realm, account, half.kept(mailed="shown")), 303)
    return _mailed_code_page(form, account), 401


@access(Permission.PUBLIC)
def mail_code_again() -> ResponseReturnValue:
    _half, account = pending_login_at(SHOW_MAILED_CODE)
    mail_code(current_realm(), account)
    show_toast("Another email is on its way. Earlier codes still work.")
    return redirect(SHOW_MAILED_CODE, 303)


@access(Permission.PUBLIC)
def second_step_question() -> ResponseReturnValue:
    _half, account = pending_login_at(SHOW_FACTOR, SHOW_MAILED_CODE)
    known = passkeys_of(current_realm(), account.id)
    return passkeys.options_response(passkeys.options_to_ask(challenges.ask("half-login"), known))


@access(Permission.PUBLIC)
def second_step_by_passkey() -> ResponseReturnValue:
    # A passkey can't be guessed: it is taken instead of a mailed code too.
    half, account = pending_login_at(SHOW_FACTOR, SHOW_MAILED_CODE)
    form, realm = PasskeyForm(), current_realm()
    form.refuse_unknown_fields()
    try:
        show_passkey(realm, form.credential.data or "", "half-login", whose=account.id)
    except PasskeyRefused as refused:
        is_mailed = step_of(realm, account, half) == SHOW_MAILED_CODE
        code_form = MailedCodeForm() if is_mailed else CodeForm()
        code_form.form_errors.append(refused.text)
        page = _mailed_code_page if is_mailed else _second_step_page
        return page(code_form, account), 401
    return redirect(go_on(realm, account, half.kept(shown="passkey")), 303)


@access(Permission.PUBLIC)
def next_password() -> ResponseReturnValue:
    half, account = pending_login_at(NEW_PASSWORD)
    return render_template("mfa/next_password.html", form=NextPasswordForm(), account=account, problem=half.problem)


@access(Permission.PUBLIC)
def choose_next_password() -> ResponseReturnValue:
    half, account = pending_login_at(NEW_PASSWORD)
    form, realm = NextPasswordForm(), current_realm()
    if form.validate_on_submit():
        try:
            password_changes.replace_password(realm, account, form.password.data or "")
        except WeakPassword as weak:
            form.password.errors = [weak.text]
        else:
            proof = pending_login.proof_of(account)
            return redirect(go_on(realm, account, half.kept(problem="", proof=proof)), 303)
    page = render_template("mfa/next_password.html", form=form, account=account, problem=half.problem)
    return page, 422


def add_second_step_routes(blueprint: Blueprint) -> None:
    """Add the pages between the password and the product to a blueprint."""
    for path, view in (
        ("second-step", second_step),
        ("mailed-code", mailed_code),
        ("new-password", next_password),
    ):
        blueprint.add_url_rule(f"/login/{path}", view_func=view, methods=["GET"])
    for path, view in (
        ("/login/passkey/question", passkey_question),
        ("/login/passkey", log_in_by_passkey),
        ("/login/second-step", show_second_factor),
        ("/login/mailed-code", show_mailed_code),
        ("/login/mailed-code/again", mail_code_again),
        ("/login/second-step/question", second_step_question),
        ("/login/second-step/passkey", second_step_by_passkey),
        ("/login/new-password", choose_next_password),
    ):
        blueprint.add_url_rule(path, view_func=view, methods=["POST"])


def _second_step_page(form: CodeForm, account: Account) -> str:
    realm = current_realm()
    has_passkey = any(factor.host == passkeys.host() for factor in passkeys_of(realm, account.id))
    has_app = app_of(realm, account.id) is not None
    return render_template("mfa/second_step.html", form=form, account=account, has_app=has_app, has_passkey=has_passkey)


def _mailed_code_page(form: CodeForm, account: Account) -> str:
    known = passkeys_of(current_realm(), account.id)
    has_passkey = any(factor.host == passkeys.host() for factor in known)
    return render_template("mfa/mailed_code.html", form=form, account=account, has_passkey=has_passkey)
