"""`/settings` and its first page, General."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.database import control_work
from qikbiz.permissions import Permission, requires
from qikbiz.web.navigation import settings_navigation
from qikbiz.web.toasts import show_toast
from qikbiz.workspace.actions import SETTINGS, change_general
from qikbiz.workspace.forms import GeneralForm
from tenants.context import current_tenant

workspace = Blueprint("workspace", __name__, template_folder="templates")


@workspace.get("/settings")
@requires(Permission.SIGNED_IN)
def index() -> ResponseReturnValue:
    """The first subject that this person may see: General for administrators."""
    if current_user.can(Permission.POLICY_SET):
        return redirect(url_for(".general"))
    return redirect(settings_navigation()[0].url)


@workspace.get("/settings/general")
@requires(Permission.POLICY_SET)
def general() -> str:
    tenant = current_tenant()
    return _page(GeneralForm(**{name: getattr(tenant, name) for name in SETTINGS}))


@workspace.post("/settings/general")
@requires(Permission.POLICY_SET)
def change() -> ResponseReturnValue:
    form = GeneralForm()
    form.refuse_unknown_fields()
    if not form.validate():
        return _page(form), 422
    with control_work():
        changes = change_general(current_tenant(), {name: form[name].data or "" for name in SETTINGS})
    show_toast("Saved." if changes else "Nothing was changed.")
    return redirect(url_for(".general"), 303)


def _page(form: GeneralForm) -> str:
    return render_template("workspace/general.html", form=form, nav_active="general")
