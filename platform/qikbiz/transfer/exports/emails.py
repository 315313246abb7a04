"""The mails about exports. They link to the page behind the login, never to the file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.queries import administrators
from qikbiz.kernel import clock
from qikbiz.kernel.actors import Actor
from qikbiz.kernel.database import db, runtime
from qikbiz.kernel.timezones import zone_of
from qikbiz.messaging.mail.actions import send
from qikbiz.messaging.notifications.actions import notify
from qikbiz.transfer.exports.contributions import own_product
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.selection import SORT
from qikbiz.web.formats import number, size
from tenants.context import current_tenant


def tell_of_ready(export: Export) -> None:
    """To whoever asked, that it can be fetched; to every other administrator, that it was made."""
    asked = db.session.get(User, export.requested_by) if export.requested_by and export.actor_kind == "user" else None
    if asked is not None:
        subject = f"Your export is ready: {what(export)}"
        _notify("export_ready", asked, export, subject, {"expires": _shown(export.expires_at, asked)})
    for person in administrators():
        if asked is None or person.id != asked.id:
            facts = {"person": _who(export), "instruction": export.instruction or ""}
            _send("export_made", person, export, facts | {"expires": _shown(export.expires_at, person)})


def tell_of_failure(export: Export, problem: str, reference: str) -> None:
    asked = db.session.get(User, export.requested_by) if export.requested_by and export.actor_kind == "user" else None
    if asked is not None:
        subject = f"Your export failed: {what(export)}"
        _notify("export_failed", asked, export, subject, {"problem": problem, "reference": reference})


def tell_of_first_download(export: Export, actor: Actor, device: str) -> None:
    """To all administrators: the file may hold everybody's records."""
    for person in administrators():
        facts = {"person": actor.name or "Unknown", "when": _shown(clock.now(), person), "device": device}
        _send("export_downloaded_first", person, export, facts)


def what(export: Export) -> str:
    """`Everything (portable)`, `Contacts, filtered (spreadsheet)`, `Audit`."""
    if export.product == export.scope:
        own = own_product(export.product)
        return own.title if own else export.scope.capitalize()
    filtered = ", filtered" if set(export.filters) - {SORT} else ""
    return f"{export.scope.capitalize()}{filtered} ({export.product})"


def _who(export: Export) -> str:
    if export.actor_kind == "user":
        return export.requested_by_name
    if export.actor_kind == "system" and export.grant_id is None:
        return "QikBiz, because your contract ends"
    return f"{export.requested_by_name or 'QikBiz'} of QikBiz, on your instruction"


def _notify(template: str, person: User, export: Export, subject: str, facts: Mapping[str, object]) -> None:
    values = _values(person, export, facts)
    notify([person.id], "export_ready", subject, f"/exports/{export.id}", template=template, values=values)


def _send(template: str, person: User, export: Export, facts: Mapping[str, object]) -> None:
    send(
        template,
        to_address=person.email,
        to_name=person.name,
        to_user=person.id,
        values=_values(person, export, facts),
        dedupe_key=f"{template}:{export.id}:{person.id}",
    )


def _values(person: User, export: Export, facts: Mapping[str, object]) -> dict[str, object]:
    tenant = current_tenant()
    rows = export.manifest.get("totals", {}).get("rows", 0)
    return {
        "organisation": tenant.name,
        "name": person.name,
        "what": what(export),
        "rows": number(rows),
        "size": size(export.file_bytes),
        "url": f"{runtime().settings.origin(tenant.host)}/exports/{export.id}",
        **facts,
    }


def _shown(moment: datetime | None, person: User) -> str:
    if moment is None:
        return ""
    local = moment.astimezone(zone_of(person.time_zone or current_tenant().time_zone))
    return f"{local.day} {local:%b %Y, %H:%M %Z}"
