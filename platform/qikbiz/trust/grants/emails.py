"""The mails about grants, to all administrators of the organisation. They can't be switched off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.queries import administrators
from qikbiz.kernel.database import runtime
from qikbiz.kernel.timezones import zone_of
from qikbiz.messaging.mail.actions import send
from qikbiz.messaging.notifications.actions import notify
from qikbiz.trust.grants.models import Grant, Visit
from qikbiz.trust.grants.scopes import LABELS, GrantScope
from tenants.context import current_tenant


def notify_of_entry(grant: Grant, visit: Visit) -> None:
    """Support has entered just now: an email that can't be switched off, and a notification in the app."""
    people = administrators()
    subject = f"{visit.staff_name} of QikBiz support accessed your workspace: {grant.reason}"
    notify([person.id for person in people], "grant_used", subject, f"/access/{grant.id}", is_mailed_already=True)
    for person in people:
        values = {"staff": visit.staff_name, "url": _url(f"/access/{grant.id}"), **_facts(grant, person)}
        _send("staff_entered", person, values, f"staff_entered:{visit.id}:{person.id}")


def notify_of_instruction(grant: Grant, staff_name: str) -> None:
    """Staff wrote down an instruction; they act on it once it is confirmed."""
    for person in administrators():
        values = {"staff": staff_name, "url": _url(f"/access/{grant.id}"), **_facts(grant, person)}
        values["is_waiting"] = grant.state == "waiting"
        _send("instruction_recorded", person, values, f"instruction_recorded:{grant.id}:{person.id}")


def notify_of_confirmation(grant: Grant, name: str, *, is_staff: bool) -> None:
    """An instruction was confirmed, by an administrator or by a second member of staff."""
    for person in administrators():
        values = {"by": name, "is_staff": is_staff, "url": _url(f"/access/{grant.id}"), **_facts(grant, person)}
        values["opens"] = _shown(grant.opens_at, person) if grant.opens_at else ""
        _send("instruction_confirmed", person, values, f"instruction_confirmed:{grant.id}:{person.id}")


def what_may_be_done(grant: Grant) -> str:
    """`See records, make an export`."""
    words = ", ".join(LABELS[GrantScope(scope)][0].lower() for scope in grant.scopes)
    return words[:1].upper() + words[1:]


def _facts(grant: Grant, person: User) -> dict[str, object]:
    return {
        "organisation": current_tenant().name,
        "reference": grant.reference,
        "reason": grant.reason,
        "what": what_may_be_done(grant),
        "until": _shown(grant.ends_at, person),
    }


def _send(template: str, person: User, values: Mapping[str, object], dedupe_key: str) -> None:
    send(
        template,
        to_address=person.email,
        to_name=person.name,
        values=values,
        category="security",
        dedupe_key=dedupe_key,
    )


def _url(path: str) -> str:
    return runtime().settings.origin(current_tenant().host) + path


def _shown(moment: datetime, person: User) -> str:
    local = moment.astimezone(zone_of(person.time_zone or current_tenant().time_zone))
    return f"{local.day} {local:%b %Y, %H:%M %Z}"
