"""A customer's own questions inside the product: ask, see what was answered, write more."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.identity.accounts.realms import current_realm
from qikbiz.kernel.access import access
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Permission
from qikbiz.security.rate_limits.limits import Limit, keep_within
from qikbiz.trust.tickets import queries
from qikbiz.trust.tickets.actions import Question, open_ticket, write_as_customer
from qikbiz.trust.tickets.forms import HelpForm, ReplyForm
from qikbiz.trust.tickets.models import Ticket
from qikbiz.trust.tickets.texts import TOPICS, topic_label
from qikbiz.web.flash import show_toast
from tenants.context import current_tenant
from tenants.control import new_id

help_pages = Blueprint("help", __name__, template_folder="templates")
help_pages.add_app_template_filter(topic_label, "ticket_topic")


@help_pages.get("/help")
@access(Permission.SIGNED_IN)
def index() -> ResponseReturnValue:
    return _index(HelpForm(topic=request.args.get("topic")))


@help_pages.post("/help")
@access(Permission.SIGNED_IN)
def ask() -> ResponseReturnValue:
    form = HelpForm()
    if not form.validate_on_submit():
        return _index(form), 422
    _count_person()
    with control_transaction():
        ticket = open_ticket(
            Question(
                current_user.name,
                current_user.email,
                form.subject.text,
                form.body.text,
                topic=form.topic.text,
                source="tenant",
                tenant_id=current_tenant().id,
                person_id=current_user.id,
                once=_once(form.once.text[:40]),
            )
        )
    show_toast(f"Sent. Your reference is {ticket.reference}.")
    return redirect(url_for(".show", reference=ticket.reference), 303)


@help_pages.get("/help/<reference>")
@access(Permission.SIGNED_IN)
def show(reference: str) -> ResponseReturnValue:
    with control_transaction():
        return _show(_ticket(reference), "")


@help_pages.post("/help/<reference>")
@access(Permission.SIGNED_IN)
def write(reference: str) -> ResponseReturnValue:
    body = ReplyForm.sent().body.text
    with control_transaction():
        ticket = _ticket(reference)
        try:
            _count_person()
            write_as_customer(ticket, body, name=current_user.name, person_id=current_user.id)
        except Failure as failure:
            return _show(
                ticket, body, failure.text or "Too many requests. Wait a while and send it again."
            ), failure.status
    show_toast("Sent. We reply here and by email.")
    return redirect(url_for(".show", reference=reference), 303)


def _ticket(reference: str) -> Ticket:
    return queries.ticket_for_customer(
        reference, current_tenant().id, current_user.id, sees_all=current_user.can(Permission.USER_MANAGE)
    )


def _index(form: HelpForm) -> str:
    with control_transaction():
        sees_all = current_user.can(Permission.USER_MANAGE)
        tickets = queries.tickets_of_customer(current_tenant().id, current_user.id, sees_all=sees_all)
    return render_template(
        "tickets/help.html",
        nav_active="help",
        form=form,
        topics=list(TOPICS.items()),
        tickets=tickets,
        sees_all=sees_all,
        once=new_id(),
    )


def _show(ticket: Ticket, body: str, problem: str = "") -> str:
    messages = queries.messages_for_customer(ticket)
    return render_template(
        "tickets/question.html", nav_active="help", ticket=ticket, messages=messages, body=body, problem=problem
    )


def _once(given: str) -> str | None:
    # With who asks, so that nobody can guess another's form.
    return f"{current_tenant().id.hex} {current_user.id.hex} {given}" if given else None


def _count_person() -> None:
    keep_within(current_realm(), [Limit(f"question:person:{current_user.id.hex}", 20, 3600)])
