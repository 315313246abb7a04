"""The audit as administrators read it."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.audit.labels import ACTS, READS, VIEWS, detail_lines, heading
from qikbiz.audit.models import AuditEvent
from qikbiz.audit.page_reads import MONTHS_KEPT, page_of_reads
from qikbiz.audit.queries import AuditFilter, audit_page, months_kept, newest_link, oldest_moment
from qikbiz.audit.retention import CHOICES, how_long, set_keeping
from qikbiz.crm.records.audit_labels import record_acts, record_url
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.schema.registry import BY_SINGULAR
from qikbiz.crm.workspace.weeks import this_week_url
from qikbiz.identity.accounts.queries import known_people
from qikbiz.kernel.access import access
from qikbiz.kernel.errors import Forbidden
from qikbiz.kernel.permissions import Permission
from qikbiz.transfer.exports.actions import ask_for_export
from qikbiz.transfer.exports.audit_file import AUDIT
from qikbiz.transfer.exports.forms import ExportIdForm
from qikbiz.transfer.exports.selection import Selection
from qikbiz.trust.audit_pages.forms import RetentionForm
from qikbiz.web.flash import show_toast
from qikbiz.web.query_params import asked_otherwise, day_asked, id_asked
from qikbiz.web.viewer import time_zone
from tenants.control import new_id

audit = Blueprint("audit", __name__, template_folder="templates")
PAGE = "the audit"


@audit.get("/audit")
@access(Permission.AUDIT_SEE)
def index() -> ResponseReturnValue:
    if request.args.get("action") == READS:
        return redirect(asked_otherwise("audit.reads", action=""))
    wanted = _filter()
    page = audit_page(wanted, before=id_asked("before", page=PAGE), after=id_asked("after", page=PAGE))
    return render_template(
        "audit/index.html",
        nav_active="audit",
        entries=[_entry(event) for event in page.events],
        people=known_people(),
        acts=[*record_acts(), *ACTS],
        wanted=request.args,
        week_url=this_week_url("audit.index"),
        chips=_chips(wanted),
        older_url=asked_otherwise("audit.index", before=str(page.older)) if page.older else "",
        newer_url=asked_otherwise("audit.index", after=str(page.newer)) if page.newer else "",
        newest=newest_link(),
        may_export=current_user.can(Permission.EXPORT_ASK),
        export_id=new_id(),
    )


@audit.post("/audit/exports")
@access(Permission.AUDIT_SEE)
def export() -> ResponseReturnValue:
    """Have the whole audit written into a file. It holds old and new values, so the right to export is needed too."""
    if not current_user.can(Permission.EXPORT_ASK):
        raise Forbidden
    asked = ask_for_export(
        Selection(AUDIT, AUDIT, rights=current_user.rights), export_id=ExportIdForm.sent().given_id()
    )
    return redirect(url_for("exports.show", export_id=asked.id), 303)


@audit.get("/audit/reads")
@access(Permission.AUDIT_SEE)
def reads() -> str:
    """Lists and searches: who had which on the screen."""
    page = page_of_reads(_filter(), before=id_asked("before", page=PAGE), after=id_asked("after", page=PAGE))
    return render_template(
        "audit/reads.html",
        nav_active="audit",
        reads=page.events,
        words=VIEWS,
        labels={name: kind.plural_label for name, kind in BY_SINGULAR.items()},
        people=known_people(),
        wanted=request.args,
        months=MONTHS_KEPT,
        older_url=asked_otherwise("audit.reads", before=str(page.older)) if page.older else "",
        newer_url=asked_otherwise("audit.reads", after=str(page.newer)) if page.newer else "",
    )


@audit.get("/audit/keeping")
@access(Permission.AUDIT_SEE)
def keeping() -> ResponseReturnValue:
    return render_template(
        "audit/keeping.html",
        nav_active="audit",
        months=months_kept(),
        choices=[(months or "", how_long(months)) for months in CHOICES],
        oldest=oldest_moment(),
        may_set=current_user.can(Permission.POLICY_SET),
    )


@audit.post("/audit/keeping")
@access(Permission.POLICY_SET, fresh=True)
def keep() -> ResponseReturnValue:
    months = set_keeping(RetentionForm.sent().months.text)
    show_toast(f"Saved. The audit is kept {how_long(months)}.")
    return redirect(url_for(".keeping"), 303)


def _filter() -> AuditFilter:
    return AuditFilter(
        person=id_asked("person", page=PAGE),
        action=request.args.get("action", "")[:60],
        record=id_asked("record", page=PAGE),
        first_day=day_asked("from"),
        last_day=day_asked("to"),
        zone=time_zone(),
    )


def _entry(event: AuditEvent) -> dict[str, object]:
    return {
        "event": event,
        "heading": heading(event.action),
        "lines": detail_lines(event, _unknown_to_reader(event)),
        "subject": "" if _names_unknown(event) else event.subject,
        "url": record_url(event),
    }


def _chips(wanted: AuditFilter) -> list[tuple[str, str]]:
    names = {str(id_): name for id_, name in known_people()} if wanted.person else {}
    texts = {
        "person": f"User is {names.get(str(wanted.person), 'unknown')}",
        "action": f"Action is {heading(wanted.action).lower()}",
        "record": "One record",
        "from": f"From {wanted.first_day}",
        "to": f"Up to {wanted.last_day}",
    }
    return [
        (text, asked_otherwise("audit.index", **{name: ""})) for name, text in texts.items() if request.args.get(name)
    ]


def _unknown_to_reader(event: AuditEvent) -> frozenset[str]:
    """The columns of this record that the reader's role hides; the names of companies out of reach with them."""
    declared = BY_SINGULAR.get(event.record_type)
    if declared is None:
        return frozenset()
    known = visible_type(declared, current_user.rights)
    # A company added to a contact stands under a name of its own.
    return known.hidden | (known.unsearchable | {"companies", "sort_name"} if known.unsearchable else frozenset())


def _names_unknown(event: AuditEvent) -> bool:
    """Whether what the record was called may be what the reader may not know: an address stands for a missing name."""
    declared = BY_SINGULAR.get(event.record_type)
    return declared is not None and bool(_unknown_to_reader(event) & {*declared.name_columns})
