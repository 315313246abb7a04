"""Mails: whether they left. Of a tenant's mails neither address nor content is shown here."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import render_template, request
from sqlalchemy.orm import Session

from qikbiz.console import queries
from qikbiz.console.blueprint import console
from qikbiz.kernel.access import access
from qikbiz.kernel.database import db, runtime, tenant_transaction
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.messaging.mail.models import Mail, PlatformMail
from qikbiz.messaging.mail.queries import MailModel, MailStatus, counts, oldest_waiting, recent
from tenants.context import WATCHER

Mails = tuple[list[MailStatus], dict[str, int], datetime | None]
STATES = ("pending", "sending", "sent", "unknown", "failed", "dropped")


@console.get("/mails")
@access(Permission.PLATFORM_MAIL_SEE)
def mails() -> str:
    slug, state = request.args.get("tenant", "").strip()[:60], request.args.get("state", "")
    state = state if state in STATES else ""
    found, numbers, waiting_since = _of_tenant(slug, state) if slug else _of_platform(state)
    return render_template(
        "console/mails.html",
        nav_active="mails",
        mails=found[: queries.PAGE],
        next_before=found[queries.PAGE - 1].id if len(found) > queries.PAGE else None,
        before=request.args.get("before", type=UUID),
        counts=numbers,
        waiting_since=waiting_since,
        tenant_slug=slug,
        state=state,
        states=STATES,
    )


def _of_platform(state: str) -> Mails:
    return _shown(db.control(), PlatformMail, state)


def _of_tenant(slug: str, state: str) -> Mails:
    tenant = runtime().directory.tenant_by_slug(slug)
    if tenant is None:
        raise NotFound(f"No tenant has the address “{slug}”.")
    with tenant_transaction(tenant, guest=WATCHER) as session:
        return _shown(session, Mail, state)


def _shown(session: Session, model: MailModel, state: str) -> Mails:
    before = request.args.get("before", type=UUID)
    found = recent(session, model, state=state, before=before, limit=queries.PAGE + 1)
    return found, counts(session, model), oldest_waiting(session, model)
