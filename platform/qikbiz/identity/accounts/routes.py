"""A tenant's pages about logins: before the door, one's own, and the administrators' one about who may log in."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.identity.accounts import actions
from qikbiz.identity.accounts.admin_session_routes import open_user_logins
from qikbiz.identity.accounts.failures import AlreadyThere
from qikbiz.identity.accounts.forms import InviteForm, RoleForm
from qikbiz.identity.accounts.login_routes import open_entrance
from qikbiz.identity.accounts.profile_routes import open_own_pages
from qikbiz.identity.accounts.queries import all_users, with_open_invitation
from qikbiz.identity.accounts.seats import NoSeatLeft, seats
from qikbiz.identity.roles.delegation import NoSuchRole
from qikbiz.identity.roles.queries import role_choices
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission
from qikbiz.web.flash import show_toast

accounts = Blueprint("accounts", __name__, template_folder="templates")
open_entrance(accounts)
open_own_pages(accounts)
open_user_logins(accounts)


@accounts.get("/users")
@access(Permission.USER_MANAGE)
def users() -> ResponseReturnValue:
    people = all_users()
    names = dict(role_choices())
    states = Counter(user.state for user in people)
    return render_template(
        "accounts/users.html", users=people, names=names, states=states, seats=seats(), linked=with_open_invitation()
    )


@accounts.get("/users/invitation")
@access(Permission.USER_INVITE)
def invite() -> ResponseReturnValue:
    return render_template("accounts/invite.html", form=_invite_form(), problem=seats().problem_with(1))


@accounts.post("/users/invitation")
@access(Permission.USER_INVITE, fresh=True)
def send_invitation() -> ResponseReturnValue:
    form = _invite_form()
    if form.validate_on_submit():
        try:
            actions.invite_user(
                form.email.data or "", form.name.data or "", form.role.data or [], invited_by=current_user.name
            )
        except NoSeatLeft as problem:
            form.email.errors = [problem.text]
        except AlreadyThere:
            form.email.errors = ["A user with this email address already exists."]
        else:
            show_toast(f"The invitation for {form.name.data} is on its way.")
            return redirect(url_for(".users"), 303)
    return render_template("accounts/invite.html", form=form), 422


@accounts.post("/users/<uuid:user_id>/invitation")
@access(Permission.USER_INVITE, fresh=True)
def resend_invitation(user_id: UUID) -> ResponseReturnValue:
    user = actions.resend_invitation(user_id, invited_by=current_user.name)
    show_toast(f"A new invitation for {user.name} is on its way. The previous link no longer works.")
    return redirect(url_for(".users"), 303)


@accounts.post("/users/<uuid:user_id>/role")
@access(Permission.USER_MANAGE, fresh=True)
def change_role(user_id: UUID) -> ResponseReturnValue:
    form = RoleForm()
    form.role.choices = role_choices()
    if not form.validate_on_submit():
        raise NoSuchRole("Choose at least one existing role. Nothing was changed.")
    user = actions.change_roles(user_id, form.role.data or [])
    show_toast(f"Roles of {user.name} saved. Effective immediately.")
    return redirect(url_for("members.show", user_id=user_id), 303)


@accounts.post("/users/<uuid:user_id>/closure")
@access(Permission.USER_MANAGE, fresh=True, read_only_ok=True)
def disable_user(user_id: UUID) -> ResponseReturnValue:
    user = actions.disable_user(user_id)
    undo = url_for(".enable_user", user_id=user.id)
    show_toast(f"{user.name} can no longer sign in.", undo_url=undo)
    return redirect(url_for(".users"), 303)


@accounts.post("/users/<uuid:user_id>/opening")
@access(Permission.USER_MANAGE, fresh=True)
def enable_user(user_id: UUID) -> ResponseReturnValue:
    user = actions.enable_user(user_id)
    show_toast(f"{user.name} can sign in again.")
    return redirect(url_for(".users"), 303)


def _invite_form() -> InviteForm:
    form = InviteForm()
    form.role.choices = role_choices()
    return form
