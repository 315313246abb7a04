"""Closings at the console: where each stands, its quote and payment, more time, and what is charged."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from qikbiz.kernel.access import access
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Permission
from qikbiz.trust.account_closure import console_actions, payments
from qikbiz.trust.account_closure.forms import ChargesForm, ExtensionForm, PaymentForm, TenantChargeForm
from qikbiz.trust.account_closure.queries import case_of, cases
from qikbiz.trust.billing import policies
from qikbiz.trust.billing.pricing import CURRENCIES
from qikbiz.web.flash import show_toast
from qikbiz.web.forms import OwnForm, ReasonForm

closings = Blueprint("closings", __name__, url_prefix="/closings", template_folder="templates")


@closings.get("/")
@access(Permission.CLOSING_HANDLE)
def index() -> str:
    is_over = request.args.get("over") == "1"
    return render_template("account_closure/console_index.html", cases=cases(is_over=is_over), is_over=is_over)


@closings.get("/<uuid:closing_id>")
@access(Permission.CLOSING_HANDLE)
def show(closing_id: UUID) -> str:
    return _page(closing_id)


@closings.post("/<uuid:closing_id>/payment")
@access(Permission.CLOSING_HANDLE)
def mark_paid(closing_id: UUID) -> ResponseReturnValue:
    form = PaymentForm.sent()
    try:
        invoice = payments.mark_paid(closing_id, form.reference.text)
    except Failure as failure:
        return _page(closing_id, form, failure.text), failure.status
    show_toast(f"Invoice {invoice.number} is marked as paid.")
    return redirect(url_for(".show", closing_id=closing_id), 303)


@closings.post("/<uuid:closing_id>/extension")
@access(Permission.CLOSING_HANDLE)
def extend(closing_id: UUID) -> ResponseReturnValue:
    form = ExtensionForm.sent()
    try:
        console_actions.give_more_time(closing_id, form.until.text, form.reason.text)
    except Failure as failure:
        return _page(closing_id, form, failure.text), failure.status
    show_toast("The period is extended. The customer is notified by email.")
    return redirect(url_for(".show", closing_id=closing_id), 303)


@closings.post("/<uuid:closing_id>/cancellation")
@access(Permission.TENANT_DELETE)
def cancel(closing_id: UUID) -> ResponseReturnValue:
    form = ReasonForm.sent()
    try:
        console_actions.cancel_ours(closing_id, form.reason.text)
    except Failure as failure:
        return _page(closing_id, form, failure.text), failure.status
    show_toast("The closure is cancelled. The administrators are notified by email.")
    return redirect(url_for(".show", closing_id=closing_id), 303)


@closings.get("/charges")
@access(Permission.CLOSING_HANDLE)
def charges() -> str:
    return _charges_page()


@closings.post("/charges")
@access(Permission.CLOSING_HANDLE)
def set_charges() -> ResponseReturnValue:
    form = ChargesForm.sent()
    try:
        policies.set_general(form.texts)
    except Failure as failure:
        return _charges_page(form, failure.text), failure.status
    show_toast("Saved. Existing quotes stay valid.")
    return redirect(url_for(".charges"), 303)


@closings.post("/charges/organisations")
@access(Permission.CLOSING_HANDLE)
def set_charge_of_tenant() -> ResponseReturnValue:
    form = TenantChargeForm.sent()
    try:
        record = policies.set_for_tenant(form.slug.text, form.texts)
    except Failure as failure:
        return _charges_page(form, failure.text), failure.status
    show_toast(f"Saved for {record.name}.")
    return redirect(url_for(".charges"), 303)


def _page(closing_id: UUID, form: OwnForm | None = None, problem: str = "") -> str:
    given = form.texts if form else {}
    return render_template("account_closure/console_case.html", case=case_of(closing_id), problem=problem, given=given)


def _charges_page(form: OwnForm | None = None, problem: str = "") -> str:
    return render_template(
        "account_closure/console_charges.html",
        general=policies.general_policy(),
        own=policies.own_policies(),
        currencies=[(name, name) for name in CURRENCIES],
        problem=problem,
        given=form.texts if form else {},
    )
