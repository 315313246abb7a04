"""The access log as administrators read it, and take it away."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.audit.actions import record
from qikbiz.crm.workspace.weeks import this_week_url
from qikbiz.identity.accounts.queries import known_people
from qikbiz.kernel import clock
from qikbiz.kernel.access import access
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Permission
from qikbiz.security.access_log import blocks, queries
from qikbiz.security.access_log.kinds import LABELS, OUTCOMES, label
from qikbiz.security.access_log.queries import NOBODY, AccessFilter
from qikbiz.security.access_log.retention import ADDRESS_KEPT
from qikbiz.security.ip_reputation.pseudonyms import without_addresses
from qikbiz.trust.access_log_pages.csv_export import csv_lines, file_name
from qikbiz.trust.access_log_pages.forms import AllowanceForm
from qikbiz.web.flash import show_toast
from qikbiz.web.query_params import asked_otherwise, day_asked, id_asked
from qikbiz.web.viewer import time_zone
from tenants.context import current_tenant

access_log = Blueprint("access", __name__, template_folder="templates")
PAGE = "the access log"
access_log.add_app_template_filter(label, "access_kind")


@access_log.get("/access-log")
@access(Permission.ACCESS_LOG_SEE)
def index() -> ResponseReturnValue:
    wanted = _filter()
    page = queries.access_page(wanted, before=id_asked("before", page=PAGE), after=id_asked("after", page=PAGE))
    # The log shows personal data (addresses), so the audit records each reading of it (P3).
    record("access_log.read", details=_said())
    return render_template(
        "access_log/index.html",
        nav_active="access",
        events=page.events,
        days=queries.by_day(wanted),
        people=known_people(),
        kinds=LABELS,
        outcomes=OUTCOMES,
        wanted=request.args,
        week_url=this_week_url("access.index"),
        chips=_chips(wanted),
        file_url=asked_otherwise("access.file"),
        older_url=asked_otherwise("access.index", before=str(page.older)) if page.older else "",
        newer_url=asked_otherwise("access.index", after=str(page.newer)) if page.newer else "",
        oldest_address=queries.oldest_address(),
        oldest_event=queries.oldest_event(),
        kept_days=ADDRESS_KEPT.days,
    )


@access_log.get("/access-log.csv")
@access(Permission.ACCESS_LOG_SEE)
def file() -> ResponseReturnValue:
    """What the page shows, all of it, as a file; audited."""
    wanted = _filter()
    lines = list(csv_lines(queries.all_events(wanted), wanted.zone))
    record("access_log.exported", details={**_said(), "rows": len(lines) - 1})
    response = Response("".join(lines), mimetype="text/csv")
    name = file_name(current_tenant().slug, f"{clock.now().astimezone(wanted.zone):%Y-%m-%d}")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@access_log.get("/access-log/blocks")
@access(Permission.ACCESS_LOG_SEE)
def blocked() -> ResponseReturnValue:
    record("access_log.read", details={"page": "blocked addresses"})
    return _blocked("")


@access_log.post("/access-log/blocks/allowances")
@access(Permission.POLICY_SET, fresh=True)
def allow_address() -> ResponseReturnValue:
    form = AllowanceForm.sent()
    try:
        blocks.allow(form.address.text[:80], form.reason.text)
    except Failure as failure:
        return _blocked(failure.text), failure.status
    show_toast("The address is allowed in your workspace for 24 hours.")
    return redirect(url_for(".blocked"), 303)


@access_log.post("/access-log/blocks/allowances/<uuid:rule_id>/end")
@access(Permission.POLICY_SET)
def end_allowance(rule_id: UUID) -> ResponseReturnValue:
    blocks.end(rule_id)
    show_toast("The address is no longer allowed.")
    return redirect(url_for(".blocked"), 303)


def _blocked(problem: str) -> str:
    return render_template(
        "access_log/blocks.html",
        nav_active="blocks",
        hits=blocks.hits(),
        allowances=blocks.allowances(),
        may_allow=current_user.can(Permission.POLICY_SET),
        problem=problem,
    )


def _filter() -> AccessFilter:
    person: UUID | str = NOBODY if request.args.get("person") == NOBODY else id_asked("person", page=PAGE) or ""
    return AccessFilter(
        person=person,
        kind=_one_of("kind", LABELS),
        outcome=_one_of("outcome", OUTCOMES),
        network=queries.network_wanted(request.args.get("network", "")[:80]),
        first_day=day_asked("from"),
        last_day=day_asked("to"),
        zone=time_zone(),
    )


def _said() -> dict[str, str]:
    """The filters, for the audit. It is kept for longer than an address may be, so it doesn't hold one."""
    kept = {name: without_addresses(text[:80]) for name, text in request.args.items() if text}
    return {name: text for name, text in kept.items() if name not in ("before", "after")}


def _chips(wanted: AccessFilter) -> list[tuple[str, str]]:
    names: dict[object, str] = dict(known_people()) if wanted.person else {}
    names[NOBODY] = "unknown"
    texts = {
        "person": f"User is {names.get(wanted.person, 'unknown')}",
        "kind": f"Event is {label(wanted.kind).lower()}",
        "outcome": f"Outcome is {OUTCOMES.get(wanted.outcome, '').lower()}",
        "network": f"From {wanted.network}",
        "from": f"Since {wanted.first_day}",
        "to": f"Up to {wanted.last_day}",
    }
    return [
        (text, asked_otherwise("access.index", **{name: ""})) for name, text in texts.items() if request.args.get(name)
    ]


def _one_of(name: str, known: dict[str, str]) -> str:
    text = request.args.get(name, "")
    if text and text not in known:
        raise Failure("This page knows no such filter. Start again from the access log.")
    return text
