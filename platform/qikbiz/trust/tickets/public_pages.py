"""Forms that anyone may send: the contact form, and the one on the page of a blocked address."""

from __future__ import annotations

import logging
from uuid import UUID

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from qikbiz.kernel.access import access
from qikbiz.kernel.database import control_transaction, runtime
from qikbiz.kernel.errors import Blocked, Failure
from qikbiz.kernel.networks import Address
from qikbiz.kernel.permissions import Permission
from qikbiz.security.ip_reputation.limiter import answer
from qikbiz.security.ip_reputation.rules import block_on
from qikbiz.trust.tickets import spam_protection
from qikbiz.trust.tickets.actions import Question, open_ticket
from qikbiz.trust.tickets.forms import AppealForm, ContactForm, OpenForm
from qikbiz.trust.tickets.models import Ticket
from qikbiz.trust.tickets.texts import APPEAL, TOPICS
from qikbiz.web.client_address import client_address
from qikbiz.web.request_context import destination

contact = Blueprint("contact", __name__, template_folder="templates")
appeals = Blueprint("appeals", __name__, template_folder="templates")
logger = logging.getLogger(__name__)
_UNSEEN_REFERENCE = "QB-0000000"


@contact.get("/contact")
@access(Permission.PUBLIC)
def form() -> ResponseReturnValue:
    return _contact(ContactForm(topic=request.args.get("topic")))


@contact.post("/contact")
@access(Permission.PUBLIC)
def send() -> ResponseReturnValue:
    form = ContactForm.sent()
    source = "tenant" if destination().tenant else "site"
    ticket = _sent(form, form.name.text, form.subject.text, source=source, topic=form.topic.text)
    return _thanks(form, ticket) if ticket else (_contact(form), form.status)


@appeals.get("/appeal")
@access(Permission.PUBLIC, while_blocked=True)
def look() -> ResponseReturnValue:
    """The page of the block, for a visitor who loads it again; without a block there is nothing to appeal against."""
    found = answer(_here(), _tenant_id())
    if found.verdict != "block":
        return redirect("/", 303)
    return block_page(Blocked(found.reference, retry_at=found.until)), 403


@appeals.post("/appeal")
@access(Permission.PUBLIC, while_blocked=True)
def appeal() -> ResponseReturnValue:
    form = AppealForm.sent()
    found = answer(_here(), _tenant_id())
    subject = f"Blocked address, reference {found.reference or 'none'}"
    ticket = _sent(form, "", subject, source="blocked", topic=APPEAL)
    if ticket:
        return _thanks(form, ticket)
    return block_page(Blocked(found.reference, retry_at=found.until), form), form.status


def block_page(blocked: Blocked, form: AppealForm | None = None) -> str:
    """What is wrong, until when, under which reference, and a form that works all the same."""
    form = form or AppealForm(is_empty=True)
    return render_template(
        "tickets/blocked.html", reference=blocked.text, until=blocked.retry_at, form=form, **_guards()
    )


def _sent(form: OpenForm, name: str, subject: str, *, source: str, topic: str) -> Ticket | None:
    """The ticket, or None when something is to be mended. What a machine sent gets a ticket that is nowhere."""
    try:
        stamp = spam_protection.check_form(unseen=form.website.text, stamp=form.opened.text)
        if not form.validate():
            return None
        spam_protection.check_text(name, subject, form.body.text)
        spam_protection.count_sender(form.email.text)
    except spam_protection.SentByMachine:
        logger.info("question_by_machine", extra={"source": source})
        return Ticket(reference=_UNSEEN_REFERENCE, email=form.email.text)
    except Failure as failure:
        form.refuse(failure)
        return None
    with control_transaction():
        rule = block_on(_here()) if source == "blocked" else None
        return open_ticket(
            Question(
                name or form.email.text.partition("@")[0],
                form.email.text,
                subject,
                form.body.text,
                topic=topic,
                source=source,
                tenant_id=_tenant_id(),
                rule_id=rule.id if rule else None,
                once=f"form {stamp.once}",
            )
        )


def _contact(form: ContactForm) -> str:
    return render_template("tickets/contact.html", form=form, topics=list(TOPICS.items()), **_guards())


def _thanks(form: OpenForm, ticket: Ticket) -> ResponseReturnValue:
    return render_template("tickets/thanks.html", reference=ticket.reference, email=form.email.text), 201


def _guards() -> dict[str, str]:
    return {"stamp": spam_protection.new_stamp()}


def _here() -> Address:
    return client_address(request.environ, runtime().settings.trusted_proxies)


def _tenant_id() -> UUID | None:
    tenant = destination().tenant
    return tenant.id if tenant else None
