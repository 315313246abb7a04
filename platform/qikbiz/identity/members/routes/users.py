"""The list of users, and who of them may sign in as what."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.identity.accounts.failures import AlreadyThere
from qikbiz.identity.accounts.queries import all_users, with_open_invitation
from qikbiz.identity.members import actions
from qikbiz.identity.members.blueprint import members
from qikbiz.identity.members.forms import InviteForm, RoleForm
from qikbiz.identity.members.seats import NoSeatLeft, seats
from qikbiz.identity.roles.delegation import NoSuchRole
from qikbiz.identity.roles.queries import role_choices
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission
from qikbiz.web.flash import show_toast


@members.get("")
@access(Permission.USER_MANAGE)
def index() -> ResponseReturnValue:
    people = all_users()
    names = dict(role_choices())
    states = Counter(user.state for user in people)
    return render_template(
        "members/users.html", users=people, names=names, states=states, seats=seats(), linked=with_open_invitation()
    )


@members.get("/invitation")
@access(Permission.USER_INVITE)
def invite() -> ResponseReturnValue:
    return render_template("members/invite.html", form=_invite_form(), problem=seats().problem_with(1))


@members.post("/invitation")
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
            return redirect(url_for(".index"), 303)
    return render_template("members/invite.html", form=form), 422


@members.post("/<uuid:user_id>/invitation")
@access(Permission.USER_INVITE, fresh=True)
def resend_invitation(user_id: UUID) -> ResponseReturnValue:
    user = actions.resend_invitation(user_id, invited_by=current_user.name)
    show_toast(f"A new invitation for {user.name} is on its way. The previous link no longer works.")
    return redirect(url_for(".index"), 303)


@members.post("/<uuid:user_id>/role")
@access(Permission.USER_MANAGE, fresh=True)
def change_role(user_id: UUID) -> ResponseReturnValue:
    form = RoleForm()
    form.role.choices = role_choices()
    if not form.validate_on_submit():
        raise NoSuchRole("Choose at least one existing role. Nothing was changed.")
    user = actions.change_roles(user_id, form.role.data or [])
    show_toast(f"Roles of {user.name} saved. Effective immediately.")
    return redirect(url_for(".show", user_id=user_id), 303)


@members.post("/<uuid:user_id>/closure")
@access(Permission.USER_MANAGE, fresh=True, read_only_ok=True)
def disable_user(user_id: UUID) -> ResponseReturnValue:
    user = actions.disable_user(user_id)
    undo = url_for(".enable_user", user_id=user.id)
    show_toast(f"{user.name} can no longer sign in.", undo_url=undo)
    return redirect(url_for(".index"), 303)


@members.post("/<uuid:user_id>/opening")
@access(Permission.USER_MANAGE, fresh=True)
def enable_user(user_id: UUID) -> ResponseReturnValue:
    user = actions.enable_user(user_id)
    show_toast(f"{user.name} can sign in again.")
    return redirect(url_for(".index"), 303)


def _invite_form() -> InviteForm:
    form = InviteForm()
    form.role.choices = role_choices()
    return form
