"""For administrators: where a user is signed in, and the help for one who has lost a second factor."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.identity.accounts.realms import current_realm
from qikbiz.identity.login.login_steps import words_for_method
from qikbiz.identity.members import revocation
from qikbiz.identity.members.blueprint import members
from qikbiz.identity.mfa.queries import app_of, codes_left, passkeys_of
from qikbiz.identity.sessions import session_store
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission
from qikbiz.web.flash import show_toast


@members.get("/<uuid:user_id>/sessions")
@access(Permission.USER_MANAGE)
def user_sessions(user_id: UUID) -> ResponseReturnValue:
    realm = current_realm()
    user = revocation.user_to_help(realm, user_id)
    return render_template(
        "members/user_sessions.html",
        user=user,
        sessions=session_store.live_sessions(realm.work, realm, user.id),
        resting=session_store.resting_devices(realm.work, realm, user.id),
        words_for_method=words_for_method,
        passkeys=passkeys_of(realm, user.id),
        app=app_of(realm, user.id),
        codes_left=codes_left(realm, user.id),
    )


@members.post("/<uuid:user_id>/sessions/<key>/end")
@access(Permission.USER_MANAGE, fresh=True, read_only_ok=True)
def end_user_session(user_id: UUID, key: str) -> ResponseReturnValue:
    user = revocation.end_one_for(current_realm(), user_id, key, by=current_user.name)
    show_toast(f"Session ended. {user.name} gets an email about it.")
    return redirect(url_for(".user_sessions", user_id=user_id), 303)


@members.post("/<uuid:user_id>/sessions/end-all")
@access(Permission.USER_MANAGE, fresh=True, read_only_ok=True)
def end_user_sessions(user_id: UUID) -> ResponseReturnValue:
    user = revocation.end_all_for(current_realm(), user_id, by=current_user.name)
    show_toast(f"{user.name} is signed out everywhere and gets an email about it.")
    return redirect(url_for(".user_sessions", user_id=user_id), 303)


@members.post("/<uuid:user_id>/factors/reset")
@access(Permission.USER_MANAGE, fresh=True)
def reset_user_factors(user_id: UUID) -> ResponseReturnValue:
    user = revocation.reset_factors_for(current_realm(), user_id, current_user.id, by=current_user.name)
    show_toast(f"{user.name} no longer has a second factor. You both get an email.")
    return redirect(url_for(".user_sessions", user_id=user_id), 303)
