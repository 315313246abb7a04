"""The pages that ask a user again for the password, a passkey or the provider, before a sensitive act."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.identity.accounts import throttles
from qikbiz.identity.accounts.failures import WeakPassword, WrongPassword
from qikbiz.identity.accounts.queries import has_password, has_second_factor
from qikbiz.identity.accounts.realms import current_realm
from qikbiz.identity.login import confirmation
from qikbiz.identity.login.forms import ConfirmForm
from qikbiz.identity.mfa import challenges, passkeys
from qikbiz.identity.mfa.failures import PasskeyRefused, WrongCode
from qikbiz.identity.mfa.forms import PasskeyForm
from qikbiz.identity.mfa.queries import passkeys_of
from qikbiz.identity.sign_in_policy.sso_only import asks_for_sso
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission
from qikbiz.web.flash import show_toast
from qikbiz.web.safe_redirect import own_path


@access(Permission.SIGNED_IN)
def confirm() -> ResponseReturnValue:
    return _confirm_page(ConfirmForm(next=own_path(request.args.get("next"))))


@access(Permission.SIGNED_IN)
def confirm_password() -> ResponseReturnValue:
    form = ConfirmForm()
    if form.validate_on_submit():
        try:
            confirmation.confirm(current_realm(), current_user, form.password.data or "", form.code.data or "")
        except WrongPassword:
            form.password.errors = ["Incorrect password."]
        except WeakPassword as weak:
            form.password.errors = [weak.text]
            return _confirm_page(form, is_outgrown=True), 401
        except WrongCode as wrong:
            form.code.errors = [wrong.text]
        else:
            return redirect(own_path(form.next.data), 303)
    return _confirm_page(form), 401


@access(Permission.SIGNED_IN)
def confirm_question() -> ResponseReturnValue:
    known = passkeys_of(current_realm(), current_user.id)
    return passkeys.options_response(passkeys.options_to_ask(challenges.ask("confirm"), known))


@access(Permission.SIGNED_IN)
def confirm_by_passkey() -> ResponseReturnValue:
    form = PasskeyForm()
    form.refuse_unknown_fields()
    target = own_path(form.next.data)
    throttles.try_confirmation(current_realm(), current_user.id.hex)()
    try:
        confirmation.confirm_by_passkey(current_realm(), current_user, form.credential.data or "")
    except PasskeyRefused as refused:
        show_toast(refused.text, kind="failed")
        return redirect(url_for(".confirm", next=target), 303)
    return redirect(target, 303)


def add_confirmation_routes(blueprint: Blueprint) -> None:
    """Add these pages to a blueprint."""
    blueprint.add_url_rule("/confirm", view_func=confirm, methods=["GET"])
    blueprint.add_url_rule("/confirm", view_func=confirm_password, methods=["POST"])
    blueprint.add_url_rule("/confirm/question", view_func=confirm_question, methods=["POST"])
    blueprint.add_url_rule("/confirm/passkey", view_func=confirm_by_passkey, methods=["POST"])


def _confirm_page(form: ConfirmForm, *, is_outgrown: bool = False) -> str:
    realm = current_realm()
    if asks_for_sso(realm, current_user):
        return render_template("login/confirm.html", form=form, only_sso=True, by_password=False)
    has_passkey = any(factor.host == passkeys.host() for factor in passkeys_of(realm, current_user.id))
    has_factor = has_second_factor(realm, current_user.id)
    return render_template(
        "login/confirm.html",
        form=form,
        by_password=has_password(realm.work, realm, current_user.id),
        has_factor=has_factor,
        has_passkey=has_passkey,
        is_outgrown=is_outgrown,
    )
