"""Everyone's own pages: profile, password, and where one is signed in. The same for users and for staff."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.identity.account_pages.forms import ChangePasswordForm, ProfileForm
from qikbiz.identity.accounts import preferences
from qikbiz.identity.accounts.audit_events import record_login_event
from qikbiz.identity.accounts.failures import WeakPassword, WrongPassword
from qikbiz.identity.accounts.realms import current_realm
from qikbiz.identity.login import password_changes
from qikbiz.identity.login.login_steps import words_for_method
from qikbiz.identity.mfa.profile_routes import add_security_routes
from qikbiz.identity.sessions import session_store, sessions
from qikbiz.identity.sessions.revocation import end_one
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission
from qikbiz.web.flash import show_toast


@access(Permission.SIGNED_IN)
def profile() -> ResponseReturnValue:
    theme = current_user.preferences.get("theme", "auto")
    form = ProfileForm(name=current_user.name, time_zone=current_user.time_zone, theme=theme)
    return render_template("accounts/profile.html", form=form)


@access(Permission.SIGNED_IN)
def change_profile() -> ResponseReturnValue:
    form = ProfileForm()
    if not form.validate_on_submit():
        return render_template("accounts/profile.html", form=form), 422
    preferences.change_profile(
        current_realm(), current_user, name=form.name.data or "", time_zone=form.time_zone.data, theme=form.theme.data
    )
    show_toast("Profile saved.")
    return redirect(url_for(".profile"), 303)


@access(Permission.SIGNED_IN)
def password() -> ResponseReturnValue:
    return render_template("accounts/password.html", form=ChangePasswordForm())


@access(Permission.SIGNED_IN)
def change_password() -> ResponseReturnValue:
    form = ChangePasswordForm()
    if form.validate_on_submit():
        try:
            password_changes.change_password(
                current_realm(), current_user, form.old_password.data or "", form.password.data or ""
            )
        except WrongPassword:
            form.old_password.errors = ["Incorrect password."]
        except WeakPassword as weak:
            form.password.errors = [weak.text]
        else:
            show_toast("Password changed. You were signed out everywhere else.")
            return redirect(url_for(".security"), 303)
    return render_template("accounts/password.html", form=form), 422


@access(Permission.SIGNED_IN)
def list_sessions() -> ResponseReturnValue:
    realm = current_realm()
    return render_template(
        "accounts/sessions.html",
        sessions=session_store.live_sessions(realm.work, realm, current_user.id),
        resting=session_store.resting_devices(realm.work, realm, current_user.id),
        words_for_method=words_for_method,
    )


@access(Permission.SIGNED_IN)
def end_session(key: str) -> ResponseReturnValue:
    realm = current_realm()
    device = end_one(realm, current_user.id, key, "ended_by_owner")
    record_login_event(realm, "session.ended", current_user, device=device)
    show_toast(f"{device or 'The device'} is signed out.")
    return redirect(url_for(".sessions"), 303)


@access(Permission.SIGNED_IN)
def end_other_sessions() -> ResponseReturnValue:
    realm = current_realm()
    key = current_user.session_key
    ended = sessions.end_sessions_of(realm.work, realm, current_user.id, "ended_by_owner", except_key=key)
    record_login_event(realm, "session.others_ended", current_user, sessions=ended)
    show_toast("You are signed out everywhere else.")
    return redirect(url_for(".sessions"), 303)


def add_profile_routes(blueprint: Blueprint) -> None:
    """Add the pages about oneself to a blueprint."""
    blueprint.add_url_rule("/profile", view_func=profile, methods=["GET"])
    blueprint.add_url_rule("/profile", view_func=change_profile, methods=["POST"])
    blueprint.add_url_rule("/profile/password", view_func=password, methods=["GET"])
    blueprint.add_url_rule("/profile/password", view_func=change_password, methods=["POST"])
    add_security_routes(blueprint)
    blueprint.add_url_rule("/profile/sessions", "sessions", list_sessions, methods=["GET"])
    blueprint.add_url_rule("/profile/sessions/<key>/end", view_func=end_session, methods=["POST"])
    blueprint.add_url_rule("/profile/sessions/end-others", view_func=end_other_sessions, methods=["POST"])
