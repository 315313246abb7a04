"""Exports and imports that support makes for a customer on its instruction."""

from __future__ import annotations

from typing import BinaryIO, cast
from uuid import UUID

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from qikbiz.console import queries
from qikbiz.console import support as serving
from qikbiz.console.blueprint import console
from qikbiz.failures import Failure
from qikbiz.imports.plans import MODES
from qikbiz.permissions import Permission, requires
from qikbiz.records.types import RECORD_TYPES
from tenants.control import new_id

KEYS = {"email": "E-mail", "external_id": "External id", "id": "Record id", "name_company": "Name and company"}


@console.get("/tenants/<slug>/support")
@requires(Permission.TENANT_EXPORT)
def support(slug: str) -> str:
    return _page(slug, {}, "")


@console.post("/tenants/<slug>/support/exports")
@requires(Permission.TENANT_EXPORT)
def export_for_tenant(slug: str) -> ResponseReturnValue:
    tenant, form = serving.tenant_to_serve(slug), request.form
    try:
        export_id = serving.export_for(
            tenant,
            form.get("instruction", ""),
            scope=form.get("scope", "everything"),
            product=form.get("product", "portable"),
            export_id=_given_id(),
        )
    except Failure as failure:
        return _page(slug, form.to_dict(), failure.text), failure.status
    return redirect(url_for("console.support_act", slug=slug, kind="exports", act_id=export_id))


@console.post("/tenants/<slug>/support/imports")
@requires(Permission.TENANT_IMPORT)
def import_for_tenant(slug: str) -> ResponseReturnValue:
    tenant, form, file = serving.tenant_to_serve(slug), request.form, request.files.get("file")
    if file is None or not file.filename:
        return _page(slug, form.to_dict(), "Choose the file to import."), 400
    choices = {"type": form.get("type", ""), "key": form.get("key", ""), "mode": form.get("mode", "")}
    try:
        import_id = serving.import_for(
            tenant,
            form.get("instruction", ""),
            cast(BinaryIO, file.stream),
            file.filename,
            import_id=_given_id(),
            choices=choices,
        )
    except Failure as failure:
        return _page(slug, form.to_dict(), failure.text), failure.status
    return redirect(url_for("console.support_act", slug=slug, kind="imports", act_id=import_id))


@console.get("/tenants/<slug>/support/<any(exports, imports):kind>/<uuid:act_id>")
@requires(Permission.TENANT_EXPORT)
def support_act(slug: str, kind: str, act_id: UUID) -> Response:
    """One act; while it is being done the page asks for its progress each second."""
    tenant = serving.tenant_to_serve(slug)
    act = serving.act_for(tenant, kind, act_id)
    is_part = bool(request.headers.get("HX-Request"))
    template = "console/support_progress.html" if is_part else "console/support_act.html"
    response = make_response(render_template(template, nav_active="tenants", act=act, slug=slug, name=tenant.name))
    if is_part and not act.is_working:
        response.headers["HX-Refresh"] = "true"
    return response


@console.post("/tenants/<slug>/support/imports/<uuid:act_id>/application")
@requires(Permission.TENANT_IMPORT)
def apply_for_tenant(slug: str, act_id: UUID) -> ResponseReturnValue:
    serving.apply_import(serving.tenant_to_serve(slug), act_id)
    return redirect(url_for("console.support_act", slug=slug, kind="imports", act_id=act_id))


@console.post("/tenants/<slug>/support/imports/<uuid:act_id>/reversal")
@requires(Permission.TENANT_IMPORT)
def undo_for_tenant(slug: str, act_id: UUID) -> ResponseReturnValue:
    serving.undo_import(serving.tenant_to_serve(slug), act_id)
    return redirect(url_for("console.support_act", slug=slug, kind="imports", act_id=act_id))


def _given_id() -> UUID:
    """The id that the form carries, so that a double click is one act; a form without one gets a new one."""
    try:
        return UUID(request.form.get("id", ""))
    except ValueError:
        return new_id()


def _page(slug: str, given: dict[str, str], problem: str) -> str:
    tenant = serving.tenant_to_serve(slug)
    return render_template(
        "console/support.html",
        nav_active="tenants",
        record=queries.tenant_by_slug(slug),
        acts=serving.acts_for(tenant),
        given=given,
        problem=problem,
        types=[(name, kind.plural_label) for name, kind in RECORD_TYPES.items()],
        keys=list(KEYS.items()),
        modes=MODES,
        new_id=new_id,
    )
