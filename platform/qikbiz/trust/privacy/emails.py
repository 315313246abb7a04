"""The mails about the statement: to every administrator of a tenant, and to our own operators when a file differs."""

from __future__ import annotations

from sqlalchemy import select

from qikbiz.audit.actions import record
from qikbiz.identity.accounts.queries import administrators
from qikbiz.identity.staff.models import Staff
from qikbiz.kernel.database import db, runtime
from qikbiz.kernel.permissions import StaffRole
from qikbiz.messaging.mail.actions import send, send_platform
from qikbiz.trust.privacy.links import changes_url, public_url
from qikbiz.trust.privacy.queries import Version
from qikbiz.web.formats import day
from tenants.context import current_tenant

TEMPLATES = {"announced": "statement_announced", "withdrawn": "statement_withdrawn"}


def notify_administrators(version: Version, what: str) -> int:
    """Once for each administrator of the tenant entered, however often it is tried. Returns how many are notified."""
    record(f"statement.{what}", subject=f"Version {version.number}", details={"takes_effect_on": _effect(version)})
    people = administrators()
    for person in people:
        values = {
            "name": person.name,
            "organisation": current_tenant().name,
            "version": version.number,
            "takes_effect_on": _effect(version),
            "days": version.notice_days,
            "is_material": version.material,
            "reason": version.reason,
            "url": changes_url() if what == "announced" else public_url("/privacy/versions"),
            "accent": current_tenant().accent,
        }
        key = f"statement {version.number} {what} {person.id}"
        send(
            TEMPLATES[what],
            to_address=person.email,
            to_name=person.name,
            values=values,
            dedupe_key=key,
        )
    return len(people)


def warn_operators(version: int, announced_sha256: str, found_sha256: str) -> None:
    """A file has other words than what was announced under its number. Inside `control_transaction()`."""
    operators = select(Staff).where(Staff.role == StaffRole.OPERATOR.value, Staff.state == "active")
    for person in db.control.scalars(operators):
        send_platform(
            "statement_file_differs",
            to_address=person.email,
            to_name=person.name,
            values={
                "name": person.name,
                "version": version,
                "announced": announced_sha256,
                "found": found_sha256,
                "url": runtime().settings.origin(f"console.{runtime().settings.base_domain}") + "/statement",
            },
            dedupe_key=f"statement {version} differs {found_sha256[:16]} {person.id}",
        )


def _effect(version: Version) -> str:
    return day(version.takes_effect_on)
