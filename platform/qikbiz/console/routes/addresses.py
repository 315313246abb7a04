"""Addresses: scores with their evidence, rules in force, and what staff decide."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from qikbiz.audit.actions import record_on_platform
from qikbiz.console.blueprint import console
from qikbiz.console.forms import RuleForm
from qikbiz.kernel.access import access
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.networks import shown
from qikbiz.kernel.permissions import Permission
from qikbiz.security.ip_reputation import false_positives, limiter, queries, rules
from qikbiz.security.ip_reputation.signals import BLOCK_AT, SLOW_AT, WATCH_AT
from qikbiz.web.flash import show_toast
from qikbiz.web.forms import ReasonForm

DURATIONS = (
    (10, "10 minutes"), (60, "1 hour"), (360, "6 hours"), (1440, "1 day"), (10080, "7 days"), (43200, "30 days"),
)  # fmt: skip

console.add_app_template_filter(shown, "network")


@console.get("/addresses")
@access(Permission.ABUSE_SEE)
def addresses() -> str:
    search = request.args.get("q", "")[:60].strip()
    hours = queries.events_by_hour()
    return render_template(
        "console/addresses.html",
        nav_active="addresses",
        scores=queries.scores(search=search),
        rules=queries.rules_in_force(),
        past_rules=queries.past_rules(),
        hours=hours,
        most=max((count for _, count in hours), default=0),
        search=search,
        weeks=false_positives.weeks(),
        target=false_positives.TARGET,
        alarmed=limiter.is_alarmed(),
        limits={"watch": WATCH_AT, "slow": SLOW_AT, "block": BLOCK_AT},
        durations=DURATIONS,
    )


@console.get("/addresses/events")
@access(Permission.ABUSE_SEE)
def address_events() -> str:
    unit = str(rules.network_named(request.args.get("unit", "")))
    # Addresses are looked at for a reason, so looking leaves a trace; which one may not be kept as long as the audit.
    record_on_platform("address.read")
    return render_template(
        "console/address.html",
        nav_active="addresses",
        unit=unit,
        events=queries.recent_events(unit),
        rules=queries.rules_about(unit),
        standing={rule.id for rule in queries.rules_in_force()},
        durations=DURATIONS,
    )


@console.post("/addresses/rules")
@access(Permission.ABUSE_DECIDE)
def decide_address() -> ResponseReturnValue:
    form = RuleForm.sent()
    action = next((known for known in rules.ACTIONS if known == form.action.text), None)
    if action is None:
        raise Failure("Choose whether to allow, slow down or block the address.")
    rule = rules.decide(
        form.unit.text,
        action,
        form.reason.text,
        minutes=form.minutes.data,
    )
    show_toast(f"Rule added for {rule.unit}: {action}.")
    return redirect(url_for("console.addresses"))


@console.post("/addresses/rules/<uuid:rule_id>/lift")
@access(Permission.ABUSE_DECIDE)
def revoke_rule(rule_id: UUID) -> ResponseReturnValue:
    rule = rules.revoke(rule_id, ReasonForm.sent().reason.text)
    show_toast(f"Rule removed for {rule.unit}.")
    return redirect(url_for("console.addresses"))
