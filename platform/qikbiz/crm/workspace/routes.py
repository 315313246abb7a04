"""`/settings` and its first page, General, with the logo."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.crm.workspace.actions import SETTINGS, change_general, remove_logo, set_logo
from qikbiz.crm.workspace.forms import GeneralForm, LogoForm
from qikbiz.crm.workspace.models import ONLY, Logo
from qikbiz.crm.workspace.pictures import MOST_UPLOADED_BYTES, BadPicture, read_picture
from qikbiz.kernel.access import access
from qikbiz.kernel.database import control_transaction, db
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.web.assets import KEPT_FOR_EVER
from qikbiz.web.flash import show_toast
from qikbiz.web.navigation import path_of, settings_navigation
from tenants.context import current_tenant

workspace = Blueprint("workspace", __name__, template_folder="templates")


@workspace.get("/settings")
@access(Permission.SIGNED_IN)
def index() -> ResponseReturnValue:
    """The first subject that this person may see: General for administrators."""
    if current_user.can(Permission.POLICY_SET):
        return redirect(url_for(".general"))
    return redirect(path_of(settings_navigation()[0].endpoint))


@workspace.get("/settings/general")
@access(Permission.POLICY_SET)
def general() -> str:
    return _page(_filled_in())


@workspace.post("/settings/general")
@access(Permission.POLICY_SET)
def change() -> ResponseReturnValue:
    form = GeneralForm()
    form.refuse_unknown_fields()
    if not form.validate():
        return _page(form), 422
    with control_transaction():
        changes = change_general(current_tenant(), {name: form[name].data or "" for name in SETTINGS})
    show_toast("Saved." if changes else "Nothing was changed.")
    return redirect(url_for(".general"), 303)


@workspace.post("/settings/general/logo")
@access(Permission.POLICY_SET)
def upload_logo() -> ResponseReturnValue:
    LogoForm().refuse_unknown_fields()
    given = request.files.get("logo")
    try:
        # One byte more than is allowed tells that there is more.
        picture = read_picture(given.stream.read(MOST_UPLOADED_BYTES + 1) if given else b"")
    except BadPicture as problem:
        return _page(_filled_in(), logo_problem=problem.text), problem.status
    with control_transaction():
        is_new = set_logo(current_tenant(), picture)
    show_toast("Logo saved." if is_new else "Nothing was changed.")
    return redirect(url_for(".general"), 303)


@workspace.post("/settings/general/logo/removal")
@access(Permission.POLICY_SET)
def delete_logo() -> ResponseReturnValue:
    with control_transaction():
        was_there = remove_logo(current_tenant())
    show_toast("Logo removed." if was_there else "Nothing was changed.")
    return redirect(url_for(".general"), 303)


@workspace.get("/logo/<name>.webp")
@access(Permission.PUBLIC)
def logo(name: str) -> Response:
    """The logo of the tenant whose host this is; the sign-in page shows it too.

    A page that still names an earlier logo gets the present one, and no browser keeps it under that name.
    """
    found = db.session.get(Logo, ONLY)
    if found is None:
        raise NotFound
    response = Response(found.picture, content_type="image/webp")
    response.headers["Cache-Control"] = KEPT_FOR_EVER if found.name == name else "no-store"
    return response


def _filled_in() -> GeneralForm:
    # Without what was sent: this form may be shown after another one of the page was.
    tenant = current_tenant()
    form = GeneralForm()
    form.process(None, **{name: getattr(tenant, name) for name in SETTINGS})
    return form


def _page(form: GeneralForm, logo_problem: str = "") -> str:
    return render_template("workspace/general.html", form=form, logo_problem=logo_problem, nav_active="general")
