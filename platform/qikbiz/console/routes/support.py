"""What support does for a customer under its grants: come in, export, import; and writing an instruction down."""

from __future__ import annotations

from typing import BinaryIO, cast
from uuid import UUID

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.console import queries
from qikbiz.console import support as serving
from qikbiz.console.blueprint import console
from qikbiz.console.forms import ExportForm, ImportForm, InstructionForm
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.kernel.access import access
from qikbiz.kernel.database import control_transaction, runtime
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Permission
from qikbiz.transfer.imports.plans import MODES
from qikbiz.trust.grants import support_sessions
from qikbiz.trust.grants.emails import what_may_be_done
from qikbiz.trust.grants.models import Grant
from qikbiz.trust.grants.queries import grant_in_force
from qikbiz.trust.grants.routes import still_waiting
from qikbiz.trust.grants.scopes import GrantScope
from qikbiz.web.flash import show_toast
from tenants.control import new_id

KEYS = {"email": "Email", "external_id": "External ID", "id": "Record ID", "name_company": "Name and company"}


@console.get("/tenants/<slug>/support")
@access(Permission.TENANT_EXPORT)
def support(slug: str) -> ResponseReturnValue:
    if request.headers.get("HX-Request"):
        return still_waiting(is_coming=serving.grants_coming(serving.tenant_to_serve(slug)))
    return _page(slug, {}, "")


@console.post("/tenants/<slug>/support/exports")
@access(Permission.TENANT_EXPORT)
def export_for_tenant(slug: str) -> ResponseReturnValue:
    tenant, form = serving.tenant_to_serve(slug), ExportForm.sent()
    try:
        export_id = serving.export_for(
            tenant,
            form.chosen_grant(),
            scope=form.scope.text,
            product=form.product.text,
            export_id=form.given_id(),
        )
    except Failure as failure:
        return _page(slug, form.texts, failure.text), failure.status
    return _to_act(slug, form.chosen_grant(), "exports", export_id)


@console.post("/tenants/<slug>/support/imports")
@access(Permission.TENANT_IMPORT)
def import_for_tenant(slug: str) -> ResponseReturnValue:
    tenant, form, file = serving.tenant_to_serve(slug), ImportForm.sent(), request.files.get("file")
    if file is None or not file.filename:
        return _page(slug, form.texts, "Choose the file to import."), 400
    choices = {"type": form.type.text, "key": form.key.text, "mode": form.mode.text}
    try:
        import_id = serving.import_for(
            tenant,
            form.chosen_grant(),
            cast(BinaryIO, file.stream),
            file.filename,
            import_id=form.given_id(),
            choices=choices,
        )
    except Failure as failure:
        return _page(slug, form.texts, failure.text), failure.status
    return _to_act(slug, form.chosen_grant(), "imports", import_id)


@console.get("/tenants/<slug>/support/<uuid:grant_id>/<any(exports, imports):kind>/<uuid:act_id>")
@access(Permission.TENANT_EXPORT)
def support_act(slug: str, grant_id: UUID, kind: str, act_id: UUID) -> Response:
    """One act; while it is being done the page asks for its progress each second."""
    tenant = serving.tenant_to_serve(slug)
    act = serving.act_for(tenant, grant_id, kind, act_id)
    is_part = bool(request.headers.get("HX-Request"))
    template = "console/support_progress.html" if is_part else "console/support_act.html"
    given = {"act": act, "slug": slug, "grant_id": grant_id, "name": tenant.name}
    response = make_response(render_template(template, nav_active="tenants", **given))
    if is_part and not act.is_working:
        response.headers["HX-Refresh"] = "true"
    return response


@console.post("/tenants/<slug>/support/<uuid:grant_id>/imports/<uuid:act_id>/application")
@access(Permission.TENANT_IMPORT)
def apply_for_tenant(slug: str, grant_id: UUID, act_id: UUID) -> ResponseReturnValue:
    serving.apply_import(serving.tenant_to_serve(slug), grant_id, act_id)
    return _to_act(slug, grant_id, "imports", act_id)


@console.post("/tenants/<slug>/support/<uuid:grant_id>/imports/<uuid:act_id>/reversal")
@access(Permission.TENANT_IMPORT)
def undo_for_tenant(slug: str, grant_id: UUID, act_id: UUID) -> ResponseReturnValue:
    serving.undo_import(serving.tenant_to_serve(slug), grant_id, act_id)
    return _to_act(slug, grant_id, "imports", act_id)


@console.post("/tenants/<slug>/support/instructions")
@access(Permission.TENANT_EXPORT, fresh=True)
def record_instruction(slug: str) -> ResponseReturnValue:
    """Write down what a customer asked for in writing. The customer reads it at once and can end it."""
    tenant, form = serving.tenant_to_serve(slug), InstructionForm.sent()
    try:
        serving.record_instruction(tenant, _instructed_scope(form), form.instruction.text)
    except Failure as failure:
        return _page(slug, form.texts, failure.text), failure.status
    show_toast("Recorded, and the customer is notified. It can be used once it is confirmed.")
    return redirect(url_for("console.support", slug=slug), 303)


@console.post("/tenants/<slug>/support/<uuid:grant_id>/confirmation")
@access(Permission.TENANT_EXPORT, fresh=True)
def confirm_instruction(slug: str, grant_id: UUID) -> ResponseReturnValue:
    """A second member of staff confirms what a ticket of the customer asks for."""
    grant = serving.confirm_instruction(serving.tenant_to_serve(slug), grant_id)
    show_toast(
        f"{grant.reference} is confirmed, and the customer is notified. It can be used after the customer's "
        "waiting time."
    )
    return redirect(url_for("console.support", slug=slug), 303)


@console.post("/tenants/<slug>/support/<uuid:grant_id>/visits")
@access(Permission.TENANT_ENTER, fresh=True)
def visit_tenant(slug: str, grant_id: UUID) -> ResponseReturnValue:
    """Go inside by a grant: on to the tenant's own address with a ticket that is good once and for a minute.

    A page and no redirect: browsers don't let a form lead to another host (form-action of the content policy).
    """
    tenant = serving.tenant_to_serve(slug)
    with control_transaction() as control:
        grant = grant_in_force(control, tenant.id, grant_id)
        secret = support_sessions.make_ticket(grant, current_user._get_current_object())
    url = runtime().settings.origin(tenant.host) + f"/visit/{secret}"
    page = render_template("console/go_inside.html", nav_active="tenants", name=tenant.name, slug=slug, url=url)
    return page, 200, {"Refresh": f"0; url={url}"}


def _to_act(slug: str, grant_id: UUID, kind: str, act_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("console.support_act", slug=slug, grant_id=grant_id, kind=kind, act_id=act_id), 303)


def _choices(grants: list[Grant], scope: str) -> list[tuple[str, str]]:
    return [(str(grant.id), f"{grant.reference}: {grant.reason}") for grant in grants if scope in grant.scopes]


def _instructed_scope(form: InstructionForm) -> GrantScope:
    try:
        return GrantScope(form.scope.text)
    except ValueError:
        # Refused where it is recorded.
        return GrantScope.SEE


def _page(slug: str, given: dict[str, str], problem: str) -> str:
    tenant = serving.tenant_to_serve(slug)
    return render_template(
        "console/support.html",
        nav_active="tenants",
        record=queries.tenant_by_slug(slug),
        acts=serving.acts_for(tenant),
        grants=serving.grants_in_force(tenant),
        coming=serving.grants_coming(tenant),
        waiting=serving.instructions_waiting(tenant),
        what=what_may_be_done,
        choices=_choices,
        given=given,
        problem=problem,
        types=[(name, kind.plural_label) for name, kind in RECORD_TYPES.items()],
        keys=list(KEYS.items()),
        modes=MODES,
        new_id=new_id,
    )
