"""The platform's audit: what staff and commands did."""

from __future__ import annotations

from uuid import UUID

from flask import Response, render_template, request

from qikbiz.audit.actions import record_on_platform
from qikbiz.audit.chain import PLATFORM_CHAIN
from qikbiz.audit.platform_file import platform_audit_lines
from qikbiz.audit.verification import state_of
from qikbiz.console import queries
from qikbiz.console.blueprint import console
from qikbiz.kernel import clock
from qikbiz.kernel.access import access
from qikbiz.kernel.database import db, runtime
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Permission


@console.get("/audit")
@access(Permission.PLATFORM_AUDIT_SEE)
def audit() -> str:
    action, slug = request.args.get("action", "")[:60], request.args.get("tenant", "")[:60]
    before = request.args.get("before", type=UUID)
    tenant_id = _tenant_id(slug) if slug else None
    found = queries.audit_events(action=action, before=before, tenant_id=tenant_id)
    shown = found[: queries.PAGE]
    return render_template(
        "console/audit.html",
        nav_active="audit",
        events=shown,
        state=state_of(db.control(), PLATFORM_CHAIN),
        newest=queries.newest_platform_link(),
        slugs=queries.slugs_of({event.tenant_id for event in shown if event.tenant_id}),
        next_before=shown[-1].id if len(found) > queries.PAGE else None,
        before=before,
        action=action,
        tenant_slug=slug,
    )


@console.post("/audit/file")
@access(Permission.PLATFORM_AUDIT_SEE)
def audit_file() -> Response:
    """All of it as it is now, to be checked with `qikbiz audit verify`."""
    record_on_platform("audit.exported")
    # What is written down above is in the file only from the next one on: that is read in a transaction of its own.
    answer = Response(platform_audit_lines(runtime().control), mimetype="application/jsonl")
    answer.headers["Content-Disposition"] = f'attachment; filename="platform-audit-{clock.now():%Y-%m-%d}.jsonl"'
    return answer


def _tenant_id(slug: str) -> UUID:
    try:
        return queries.tenant_by_slug(slug).id
    except NotFound as error:
        raise NotFound(f"No tenant has the address “{slug}”.") from error
