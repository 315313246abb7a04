"""The form in which an announcement is written, and the one that says when it leaves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, StopValidation

from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure
from qikbiz.messaging.announcements.models import Announcement
from qikbiz.web.forms import OwnForm, SelectChoice, Text
from qikbiz.web.viewer import time_zone
from tenants.control import TenantRecord

CATEGORIES = [
    SelectChoice("updates", "Product updates: new features, removals, planned downtime"),
    SelectChoice("improvements", "Improvements: small changes and tips"),
    SelectChoice("security", "Security: no opt-out"),
    SelectChoice("legal", "Legal notices: no opt-out"),
]
AUDIENCES = [
    SelectChoice("everybody", "All users"),
    SelectChoice("administrators", "Administrators only"),
]
MOST_TENANTS = 1_000


class SendingForm(OwnForm):
    """When an announcement is sent, and that everybody is meant to get one that can't be stopped."""

    when = Text()
    send_at = Text("Send at")
    confirmed = Text()


class AnnouncementForm(OwnForm):
    """`tenants` are addresses, one a line; empty means all."""

    subject = StringField(
        "Subject", [InputRequired("Enter a subject."), Length(max=150, message="Use at most 150 characters.")]
    )
    category = RadioField("Category", choices=CATEGORIES, default="updates")
    audience = RadioField("Recipients", choices=AUDIENCES, default="everybody")
    tenants = TextAreaField("Only these tenants", [Length(max=60_000)])
    body = TextAreaField(
        "Text", [InputRequired("Enter a text."), Length(max=20_000, message="Use at most 20,000 characters.")]
    )

    def validate_subject(self, field: StringField) -> None:
        field.data = " ".join((field.data or "").split())
        if not field.data or not field.data.isprintable():
            raise StopValidation("The subject must be one line of visible characters.")

    def validate_tenants(self, field: TextAreaField) -> None:
        self.tenant_ids = _ids_of((field.data or "").lower().replace(",", " ").split())

    def values(self) -> dict[str, object]:
        return {
            "subject": self.subject.data,
            "category": self.category.data,
            "audience": self.audience.data,
            "tenant_ids": self.tenant_ids,
            "body": (self.body.data or "").replace("\r\n", "\n"),
        }


def form_of(found: Announcement) -> AnnouncementForm:
    return AnnouncementForm(
        subject=found.subject,
        category=found.category,
        audience=found.audience,
        tenants="\n".join(slugs_of(found)),
        body=found.body,
    )


def slugs_of(found: Announcement) -> list[str]:
    """The addresses of the tenants that it goes to; empty when it goes to all."""
    if not found.tenant_ids:
        return []
    query = select(TenantRecord.slug).where(TenantRecord.id.in_(found.tenant_ids)).order_by(TenantRecord.slug)
    return list(db.control().scalars(query))


def moment_typed(text: str) -> datetime | None:
    """The moment of a date field in the operator's zone; None when it is empty. Raises Failure."""
    if not text:
        return None
    try:
        typed = datetime.fromisoformat(text)
    except ValueError as error:
        raise Failure("Enter a date and time.") from error
    return typed.replace(tzinfo=None, microsecond=0).replace(tzinfo=time_zone())


def _ids_of(slugs: list[str]) -> list[str]:
    wanted = sorted(set(slugs))
    if len(wanted) > MOST_TENANTS:
        raise StopValidation(f"Enter at most {MOST_TENANTS:,} tenants, or leave this empty for all.")
    query = select(TenantRecord.slug, TenantRecord.id).where(
        TenantRecord.slug.in_(wanted), TenantRecord.state != "closed"
    )
    found = {row.slug: str(row.id) for row in db.control().execute(query)}
    unknown = [slug for slug in wanted if slug not in found]
    if unknown:
        raise StopValidation(f"There is no tenant with the address “{unknown[0][:60]}”.")
    return [found[slug] for slug in wanted]
