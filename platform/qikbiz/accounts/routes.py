"""A user's own pages, and the administrators' page about who may log in."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.accounts import actions, session_rows, sessions
from qikbiz.accounts.entrance import open_entrance
from qikbiz.accounts.failures import AlreadyThere, WeakPassword, WrongPassword
from qikbiz.accounts.forms import ROLES, ChangePasswordForm, InviteForm, ProfileForm, RoleForm
from qikbiz.accounts.freshness import requires_fresh
from qikbiz.accounts.queries import all_users
from qikbiz.accounts.realms import realm_at_hand
from qikbiz.failures import NotFound
from qikbiz.permissions import Permission, requires
from qikbiz.web.toasts import show_toast

accounts = Blueprint("accounts", __name__, template_folder="templates")
open_entrance(accounts)


@accounts.get("/profile")
@requires(Permission.SIGNED_IN)
def profile() -> ResponseReturnValue:
    theme = current_user.preferences.get("theme", "auto")
    form = ProfileForm(name=current_user.name, time_zone=current_user.time_zone, theme=theme)
    return render_template("accounts/profile.html", form=form)


@accounts.post("/profile")
@requires(Permission.SIGNED_IN)
def change_profile() -> ResponseReturnValue:
    form = ProfileForm()
    if not form.validate_on_submit():
        return render_template("accounts/profile.html", form=form), 422
    actions.change_profile(
        realm_at_hand(), current_user, name=form.name.data or "", time_zone=form.time_zone.data, theme=form.theme.data
    )
    show_toast("Your profile is saved.")
    return redirect(url_for(".profile"), 303)


@accounts.get("/profile/password")
@requires(Permission.SIGNED_IN)
def password() -> ResponseReturnValue:
    return render_template("accounts/password.html", form=ChangePasswordForm())


@accounts.post("/profile/password")
@requires(Permission.SIGNED_IN)
def change_password() -> ResponseReturnValue:
    form = ChangePasswordForm()
    if form.validate_on_submit():
        try:
            actions.change_password(
                realm_at_hand(), current_user, form.old_password.data or "", form.password.data or ""
            )
        except WrongPassword:
            form.old_password.errors = ["This is not your password."]
        except WeakPassword as weak:
            form.password.errors = [weak.text]
        else:
            show_toast("Your password is changed. Everywhere else you were logged out.")
            return redirect(url_for(".profile"), 303)
    return render_template("accounts/password.html", form=form), 422


@accounts.get("/profile/sessions", endpoint="sessions")
@requires(Permission.SIGNED_IN)
def list_sessions() -> ResponseReturnValue:
    realm = realm_at_hand()
    rows = session_rows.live_sessions(realm.work, realm, current_user.id)
    return render_template("accounts/sessions.html", sessions=rows)


@accounts.post("/profile/sessions/<key>/end")
@requires(Permission.SIGNED_IN)
def end_session(key: str) -> ResponseReturnValue:
    realm = realm_at_hand()
    own = session_rows.live_sessions(realm.work, realm, current_user.id)
    chosen = next((row for row in own if row.id_hash.hex() == key), None)
    if chosen is None:
        raise NotFound
    sessions.end_session_and_device(realm.work, realm, chosen, "ended_by_owner")
    show_toast(f"{chosen.device or 'The device'} is logged out.")
    return redirect(url_for(".sessions"), 303)


@accounts.post("/profile/sessions/end-others")
@requires(Permission.SIGNED_IN)
def end_other_sessions() -> ResponseReturnValue:
    realm = realm_at_hand()
    key = current_user.session_key
    sessions.end_sessions_of(realm.work, realm, current_user.id, "ended_by_owner", except_key=key)
    show_toast("You are logged out everywhere but here.")
    return redirect(url_for(".sessions"), 303)


@accounts.get("/users")
@requires(Permission.USER_MANAGE)
def users() -> ResponseReturnValue:
    return render_template("accounts/users.html", users=all_users(), roles=ROLES)


@accounts.get("/users/invitation")
@requires(Permission.USER_INVITE)
def invite() -> ResponseReturnValue:
    return render_template("accounts/invite.html", form=InviteForm())


@accounts.post("/users/invitation")
@requires(Permission.USER_INVITE)
@requires_fresh
def send_invitation() -> ResponseReturnValue:
    form = InviteForm()
    if form.validate_on_submit():
        try:
            actions.invite_user(
                form.email.data or "", form.name.data or "", form.role.data, invited_by=current_user.name
            )
        except AlreadyThere:
            form.email.errors = ["Somebody with this address can already log in here."]
        else:
            show_toast(f"The invitation for {form.name.data} is on its way.")
            return redirect(url_for(".users"), 303)
    return render_template("accounts/invite.html", form=form), 422


@accounts.post("/users/<uuid:user_id>/invitation")
@requires(Permission.USER_INVITE)
def resend_invitation(user_id: UUID) -> ResponseReturnValue:
    user = actions.resend_invitation(user_id, invited_by=current_user.name)
    show_toast(f"A new invitation for {user.name} is on its way. The link sent before no longer works.")
    return redirect(url_for(".users"), 303)


@accounts.post("/users/<uuid:user_id>/role")
@requires(Permission.USER_MANAGE)
@requires_fresh
def change_role(user_id: UUID) -> ResponseReturnValue:
    form = RoleForm()
    if form.validate_on_submit():
        user = actions.change_role(user_id, form.role.data)
        show_toast(f"{user.name} is now {user.role}.")
    return redirect(url_for(".users"), 303)


@accounts.post("/users/<uuid:user_id>/closure")
@requires(Permission.USER_MANAGE)
@requires_fresh
def disable_user(user_id: UUID) -> ResponseReturnValue:
    user = actions.disable_user(user_id)
    undo = url_for(".enable_user", user_id=user.id)
    show_toast(f"{user.name} can no longer log in.", undo_url=undo)
    return redirect(url_for(".users"), 303)


@accounts.post("/users/<uuid:user_id>/opening")
@requires(Permission.USER_MANAGE)
@requires_fresh
def enable_user(user_id: UUID) -> ResponseReturnValue:
    user = actions.enable_user(user_id)
    show_toast(f"{user.name} can log in again.")
    return redirect(url_for(".users"), 303)
