"""Closing the account: a way of five steps, then a page that says until when everything can be fetched."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from qikbiz.kernel.access import access
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.transfer.exports.queries import Standing, export_for_reading
from qikbiz.trust.account_closure import actions
from qikbiz.trust.account_closure.actions import LONGEST, SHORTEST, BadAnswer
from qikbiz.trust.account_closure.forms import ChecksumForm, QuoteForm, RequestForm, RetrievalForm
from qikbiz.trust.account_closure.models import Closing
from qikbiz.trust.account_closure.queries import invoice_of, standing_closing
from qikbiz.trust.account_closure.wizard import WAY, final_facts, page_for, steps_of
from qikbiz.trust.billing import stripe
from qikbiz.web.flash import show_toast
from qikbiz.web.fragments import render_page
from tenants.context import current_tenant

closing = Blueprint("closing", __name__, url_prefix="/closing", template_folder="templates")


@closing.get("/")
@access(Permission.CLOSING_ASK)
def index() -> ResponseReturnValue:
    """What closing means; with one under way, the page where it stands."""
    standing = standing_closing(current_tenant().id)
    if standing is not None:
        return redirect(url_for(f".{page_for(standing)}"))
    return render_template("account_closure/index.html", backup_days=runtime().settings.backup_days)


@closing.get("/request")
@access(Permission.CLOSING_ASK, fresh=True)
def ask() -> ResponseReturnValue:
    return _page("request", standing_closing(current_tenant().id))


@closing.post("/request")
@access(Permission.CLOSING_ASK, fresh=True)
def ask_to_close() -> ResponseReturnValue:
    form = RequestForm.sent()
    standing = standing_closing(current_tenant().id)
    try:
        if standing is not None:
            actions.change_reason(form.reason.text)
        else:
            standing = actions.ask_to_close(reason=form.reason.text, typed=form.typed.text)
    except BadAnswer as problem:
        return _page("request", standing, given=form.texts, problem=problem.text), 400
    return redirect(url_for(".cost"), 303)


@closing.get("/cost")
@access(Permission.CLOSING_ASK)
def cost() -> ResponseReturnValue:
    return _page_of_closing("cost")


@closing.post("/acceptance")
@access(Permission.CLOSING_ASK)
def accept() -> ResponseReturnValue:
    actions.accept_quote(QuoteForm.sent().amount.text)
    return redirect(url_for(".export"), 303)


@closing.get("/export")
@access(Permission.CLOSING_ASK)
def export() -> ResponseReturnValue:
    standing = standing_closing(current_tenant().id)
    if standing is None or standing.export_id is None or standing.ended_by == "operator":
        return _to_the_beginning()
    return _page("export", standing, making=_export_of(standing))


@closing.post("/exports")
@access(Permission.CLOSING_ASK)
def export_again() -> ResponseReturnValue:
    actions.make_export_again()
    return redirect(url_for(".export"), 303)


@closing.get("/check")
@access(Permission.CLOSING_ASK)
def check() -> ResponseReturnValue:
    return _page_of_closing("check")


@closing.post("/verification")
@access(Permission.CLOSING_ASK)
def confirm() -> ResponseReturnValue:
    form = ChecksumForm.sent()
    try:
        actions.confirm_checksum(form.checksum.text)
    except BadAnswer as problem:
        return _page("check", standing_closing(current_tenant().id), problem=problem.text), 400
    return redirect(url_for(".end"), 303)


@closing.get("/end")
@access(Permission.CLOSING_ASK, fresh=True)
def end() -> ResponseReturnValue:
    standing = standing_closing(current_tenant().id)
    if standing is None or standing.state != "confirmed":
        return _to_the_beginning()
    return _page("end", standing, **final_facts(standing, request.args.get("days", SHORTEST, type=int)))


@closing.post("/retrieval")
@access(Permission.CLOSING_ASK, fresh=True)
def start() -> ResponseReturnValue:
    form = RetrievalForm.sent()
    try:
        actions.start_retrieval(form.days.data or 0)
    except BadAnswer as problem:
        standing = standing_closing(current_tenant().id)
        if standing is None:
            raise
        return _page("end", standing, problem=problem.text, **final_facts(standing, SHORTEST)), 400
    return redirect(url_for(".standing"), 303)


@closing.get("/standing")
@access(Permission.CLOSING_ASK)
def standing() -> ResponseReturnValue:
    found = standing_closing(current_tenant().id)
    if found is None or page_for(found) != "standing":
        return _to_the_beginning()
    facts = {"invoice": invoice_of(found.id), "pays_by_card": stripe.is_on()}
    return render_page("account_closure/standing.html", "standing", closing=found, export=_export_of(found), **facts)


@closing.get("/cancellation")
@access(Permission.CLOSING_ASK, fresh=True)
def cancel() -> ResponseReturnValue:
    found = standing_closing(current_tenant().id)
    if found is None or found.ended_by == "operator":
        return _to_the_beginning()
    return render_template("account_closure/cancel.html", closing=found, invoice=invoice_of(found.id))


@closing.post("/cancellation")
@access(Permission.CLOSING_ASK, fresh=True)
def cancel_closing() -> ResponseReturnValue:
    found = actions.cancel()
    if found.state == "cancelled":
        show_toast("The account closure is cancelled. Nothing has changed.")
        return redirect(url_for(".index"), 303)
    show_toast("The account closure is cancelled. Records can be edited again in a few seconds.")
    return redirect(url_for(".standing"), 303)


@closing.get("/invoice")
@access(Permission.CLOSING_ASK)
def invoice() -> ResponseReturnValue:
    found = standing_closing(current_tenant().id)
    bill = invoice_of(found.id) if found else None
    if found is None or bill is None:
        raise NotFound("There is no invoice, because nothing was charged.")
    return render_template("account_closure/invoice.html", closing=found, invoice=bill, pays_by_card=stripe.is_on())


@closing.post("/payment")
@access(Permission.CLOSING_ASK)
def pay() -> ResponseReturnValue:
    """Ask the payment service for a page of its own to pay on; the person goes there by a link."""
    found = standing_closing(current_tenant().id)
    bill = invoice_of(found.id) if found else None
    if bill is None:
        raise NotFound("There is no invoice, because nothing was charged.")
    return render_template("account_closure/pay.html", invoice=bill, url=stripe.checkout_url(bill, current_tenant()))


def _to_the_beginning() -> ResponseReturnValue:
    """Where the closing stands, or what closing means; also from a part of a page that looks again by itself."""
    if request.headers.get("HX-Request"):
        return "", {"HX-Redirect": url_for(".index")}
    return redirect(url_for(".index"))


def _page_of_closing(step: str) -> ResponseReturnValue:
    found = standing_closing(current_tenant().id)
    if found is None or found.ended_by == "operator" or (step == "check" and not found.export_sha256):
        return _to_the_beginning()
    return _page(step, found)


def _page(step: str, found: Closing | None, **context: object) -> str:
    facts: dict[str, object] = {"closing": found, "steps_of_way": steps_of(found), "step": WAY.index(step) + 1}
    facts |= {"given": {}, "problem": "", "shortest": SHORTEST, "longest": LONGEST}
    if found is not None:
        facts["invoice"] = invoice_of(found.id)
    return render_page(f"account_closure/{step}.html", "making", **(facts | context))


def _export_of(found: Closing) -> Standing | None:
    if found.export_id is None:
        return None
    try:
        return export_for_reading(found.export_id)
    except NotFound:
        return None
