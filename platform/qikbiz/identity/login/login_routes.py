"""The pages of signing in and out, of a forgotten password, of an invitation. The same for users and for staff."""

from __future__ import annotations

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.identity.accounts import throttles
from qikbiz.identity.accounts.failures import WeakPassword, WrongPassword
from qikbiz.identity.accounts.realms import Account, current_realm, names_of
from qikbiz.identity.accounts.tokens import LinkEnded, Purpose, account_behind
from qikbiz.identity.login import actions, password_changes, password_links
from qikbiz.identity.login.confirmation_routes import add_confirmation_routes
from qikbiz.identity.login.enrolment_routes import add_enrolment_routes
from qikbiz.identity.login.forms import ForgotForm, InvitationForm, LoginForm, NewPasswordForm, StrengthForm
from qikbiz.identity.login.second_step_routes import add_second_step_routes
from qikbiz.identity.passwords.password_strength import strength_of
from qikbiz.identity.sign_in_policy.queries import policy_of
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission
from qikbiz.security.ip_reputation.events import record_event
from qikbiz.web.flash import show_toast
from qikbiz.web.safe_redirect import own_path
from qikbiz.web.visit_cookie import end_session_cookie

_WRONG = "Incorrect email or password."


@access(Permission.PUBLIC)
def login() -> ResponseReturnValue:
    target = own_path(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target)
    return render_template("login/login.html", form=LoginForm(next=target), realm=current_realm())


@access(Permission.PUBLIC)
def log_in() -> ResponseReturnValue:
    form = LoginForm()
    if form.validate_on_submit():
        try:
            target = actions.log_in(
                current_realm(),
                form.email.data or "",
                form.password.data or "",
                remember=bool(form.remember.data),
                target=own_path(form.next.data),
            )
        except WrongPassword:
            form.form_errors.append(_WRONG)
        else:
            return redirect(target, 303)
    return render_template("login/login.html", form=form, realm=current_realm()), 401


@access(Permission.PUBLIC)
def password_strength() -> ResponseReturnValue:
    """For strength.js: how good a password would be, by the same rules that take or refuse it when it is sent."""
    throttles.ask_for_strength(current_realm())
    form, realm = StrengthForm.sent(), current_realm()
    person = [current_user.name or form.name.text, current_user.email or form.email.text]
    verdict = strength_of(form.password.text, names=names_of(realm, *(text[:320] for text in person)))
    return jsonify(level=verdict.level, word=verdict.word, text=verdict.text)


@access(Permission.SIGNED_IN, from_anywhere=True, while_viewing_as=True)
def logout() -> ResponseReturnValue:
    actions.log_out(current_realm(), current_user)
    end_session_cookie()
    response = redirect(url_for(".login"), 303)
    # Not "cookies": that would also end the message of the next page, and ours are deleted one by one.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@access(Permission.PUBLIC)
def forgot() -> ResponseReturnValue:
    if policy_of(current_realm()).sso_only:
        return _by_sso_alone("There is no password to reset")
    return render_template("login/forgot.html", form=ForgotForm())


@access(Permission.PUBLIC)
def ask_for_password_link() -> ResponseReturnValue:
    form = ForgotForm()
    if not form.validate_on_submit():
        return render_template("login/forgot.html", form=form), 422
    password_links.ask_for_password_link(current_realm(), form.email.data or "")
    return render_template("login/forgot_sent.html", email=form.email.data)


@access(Permission.PUBLIC)
def new_password(secret: str) -> ResponseReturnValue:
    account = _behind("password", secret)
    if account is None:
        return _link_ended("password")
    if policy_of(current_realm()).sso_only:
        return _by_sso_alone("No password is needed", account)
    return render_template("login/new_password.html", form=NewPasswordForm(), account=account)


@access(Permission.PUBLIC)
def choose_password(secret: str) -> ResponseReturnValue:
    account = _behind("password", secret)
    if account is None:
        return _link_ended("password")
    form = NewPasswordForm()
    if form.validate_on_submit():
        try:
            target = password_changes.use_password_link(current_realm(), secret, form.password.data or "")
        except WeakPassword as weak:
            form.password.errors = [weak.text]
        else:
            show_toast("Password set. You were signed out everywhere else.")
            return redirect(target, 303)
    return render_template("login/new_password.html", form=form, account=account), 422


@access(Permission.PUBLIC)
def invitation(secret: str) -> ResponseReturnValue:
    account = _behind("invitation", secret)
    if account is None:
        return _link_ended("invitation")
    if policy_of(current_realm()).sso_only:
        return _by_sso_alone(f"Welcome to {current_realm().name}", account)
    form = InvitationForm(name=account.name)
    return render_template("login/invitation.html", form=form, account=account, realm=current_realm())


@access(Permission.PUBLIC)
def accept_invitation(secret: str) -> ResponseReturnValue:
    account = _behind("invitation", secret)
    if account is None:
        return _link_ended("invitation")
    form = InvitationForm()
    if form.validate_on_submit():
        try:
            target = password_changes.accept_invitation(
                current_realm(), secret, form.name.data or "", form.password.data or ""
            )
        except WeakPassword as weak:
            form.password.errors = [weak.text]
        else:
            return redirect(target, 303)
    return render_template("login/invitation.html", form=form, account=account, realm=current_realm()), 422


def add_login_routes(blueprint: Blueprint) -> None:
    """Add the pages of signing in, with their steps and the confirmation, to a blueprint."""
    for path, page, act in (
        ("/login", login, log_in),
        ("/forgot", forgot, ask_for_password_link),
        ("/new-password/<secret>", new_password, choose_password),
        ("/invitation/<secret>", invitation, accept_invitation),
    ):
        blueprint.add_url_rule(path, view_func=page, methods=["GET"])
        blueprint.add_url_rule(path, view_func=act, methods=["POST"])
    blueprint.add_url_rule("/logout", view_func=logout, methods=["POST"])
    blueprint.add_url_rule("/password-strength", view_func=password_strength, methods=["POST"])
    add_second_step_routes(blueprint)
    add_enrolment_routes(blueprint)
    add_confirmation_routes(blueprint)


def _by_sso_alone(title: str, account: Account | None = None) -> str:
    """The way that is left where the organisation lets people in only through its identity provider."""
    return render_template("login/sso_only.html", title=title, account=account)


def _behind(purpose: Purpose, secret: str) -> Account | None:
    realm = current_realm()
    try:
        account, _token = account_behind(realm.work, realm, purpose, secret)
    except LinkEnded:
        record_event("bad_link")
        return None
    return account


def _link_ended(purpose: Purpose) -> ResponseReturnValue:
    return render_template("login/link_ended.html", purpose=purpose), 410
