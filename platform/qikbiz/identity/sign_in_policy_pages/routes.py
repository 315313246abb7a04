"""The page of the policy, what it will do before it is saved, and the way in by a break-glass code."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from qikbiz.identity.accounts.failures import WrongPassword
from qikbiz.identity.accounts.realms import current_realm
from qikbiz.identity.passwords import breached_passwords
from qikbiz.identity.roles.builtin_roles import ROLE_NAMES
from qikbiz.identity.roles.models import OwnRole
from qikbiz.identity.sign_in_policy.networks import BadNetwork, OutsideNetworks, address_of_request, read_networks
from qikbiz.identity.sign_in_policy.queries import policy_of, policy_row
from qikbiz.identity.sign_in_policy.rules import BelowTheFloor, Policy
from qikbiz.identity.sign_in_policy_pages import actions, break_glass
from qikbiz.identity.sign_in_policy_pages.forms import BreakGlassForm, PolicyForm
from qikbiz.identity.sign_in_policy_pages.impact import consequences
from qikbiz.identity.sign_in_policy_pages.lockout import WouldLockOut, refuse_locking_everybody_out
from qikbiz.kernel.access import access
from qikbiz.kernel.database import db
from qikbiz.kernel.permissions import Permission
from qikbiz.web.flash import show_toast
from qikbiz.web.forms import SelectChoice

policy = Blueprint("policy", __name__, template_folder="templates")
_WRONG = "Incorrect email, password or code, or the code was used."


@policy.get("/settings/sign-in-policy")
@access(Permission.POLICY_SET)
def index() -> ResponseReturnValue:
    now = policy_of(current_realm())
    form = _form(
        sign_in=_sign_in(now),
        least_characters=now.least_characters,
        asks_range_service=now.asks_range_service,
        factor_for=now.factor_for,
        factor_roles=list(now.factor_roles),
        idle_minutes=now.idle_minutes,
        absolute_hours=now.absolute_hours,
        remember_days=now.remember_days,
        networks="\n".join(now.networks),
    )
    return _page(form)


@policy.post("/settings/sign-in-policy/preview")
@access(Permission.POLICY_SET, fresh=True)
def preview() -> ResponseReturnValue:
    form = _form()
    wanted = _wanted(form)
    if wanted is None:
        return _page(form), 422
    before = policy_of(current_realm())
    changes = actions.changes_between(before, wanted)
    if not changes:
        show_toast("There are no changes to save.")
        return redirect(url_for(".index"), 303)
    said = consequences(before, wanted)
    return render_template("sign_in_policy/preview.html", form=form, said=said, fields=_fields(wanted))


@policy.post("/settings/sign-in-policy")
@access(Permission.POLICY_SET, fresh=True)
def save() -> ResponseReturnValue:
    form = _form()
    wanted = _wanted(form)
    if wanted is None:
        return _page(form), 422
    try:
        actions.change_policy(current_realm(), current_user, wanted)
    except WouldLockOut as refused:
        # A colleague has changed the provider since the form was checked.
        form.sign_in.errors = [refused.text]
        return _page(form), 422
    show_toast("Sign-in policy saved.")
    row = policy_row()
    if row is not None and break_glass.keeps_people_out(row) and row.break_glass is None:
        code = break_glass.make_code(current_user)
        return render_template("sign_in_policy/code.html", code=code, is_first=True)
    return redirect(url_for(".index"), 303)


@policy.post("/settings/sign-in-policy/break-glass-code")
@access(Permission.POLICY_SET, fresh=True)
def new_code() -> ResponseReturnValue:
    return render_template("sign_in_policy/code.html", code=break_glass.make_code(current_user), is_first=False)


@policy.get("/break-glass")
@access(Permission.PUBLIC)
def ask_for_code() -> ResponseReturnValue:
    return render_template("sign_in_policy/break_glass.html", form=BreakGlassForm())


@policy.post("/break-glass")
@access(Permission.PUBLIC)
def use_code() -> ResponseReturnValue:
    form = BreakGlassForm()
    if form.validate_on_submit():
        given = (form.email.data or "", form.password.data or "", form.code.data or "")
        try:
            return redirect(break_glass.break_glass(current_realm(), *given), 303)
        except WrongPassword:
            form.form_errors.append(_WRONG)
    return render_template("sign_in_policy/break_glass.html", form=form), 401


def _form(**given: Any) -> PolicyForm:
    # A form that doesn't say how people sign in leaves it as it is.
    form = PolicyForm(**({"sign_in": _sign_in(policy_of(current_realm()))} | given))
    own = db.session.execute(select(OwnRole.id, OwnRole.name).order_by(OwnRole.name))
    roles = [*ROLE_NAMES.items(), *((str(key), name) for key, name in own)]
    form.factor_roles.choices = [SelectChoice(key, name) for key, name in roles]
    return form


def _wanted(form: PolicyForm) -> Policy | None:
    """The policy that the form asks for, or None with the reasons in the form."""
    if not form.validate_on_submit():
        return None
    try:
        wanted = form.wanted(read_networks(form.networks.data or ""))
        wanted.check()
        actions.refuse_locking_oneself_out(wanted)
        if wanted.sso_only and not policy_of(current_realm()).sso_only:
            refuse_locking_everybody_out(current_realm(), current_user)
    except WouldLockOut as refused:
        form.sign_in.errors = [refused.text]
        return None
    except BelowTheFloor as refused:
        form.factor_roles.errors = [refused.text]
        return None
    except (BadNetwork, OutsideNetworks) as refused:
        form.networks.errors = [refused.text]
        return None
    return wanted


def _fields(wanted: Policy) -> list[tuple[str, str]]:
    """What the form of the second step carries."""
    names = ("least_characters", "factor_for", "idle_minutes", "absolute_hours", "remember_days")
    single = [(name, str(getattr(wanted, name))) for name in names]
    several = [("factor_roles", role) for role in wanted.factor_roles]
    ticked = [("asks_range_service", "y")] if wanted.asks_range_service else []
    return [("sign_in", _sign_in(wanted)), *single, *several, *ticked, ("networks", ",".join(wanted.networks))]


def _sign_in(policy: Policy) -> str:
    return "sso" if policy.sso_only else "any"


def _page(form: PolicyForm) -> str:
    row = policy_row()
    return render_template(
        "sign_in_policy/index.html",
        form=form,
        row=row,
        keeps_out=break_glass.keeps_people_out(row),
        address=address_of_request(),
        can_ask_range_service=breached_passwords.is_available(),
    )
