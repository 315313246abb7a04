"""The mails about a closing. They come from the platform, in the transaction of the step, so that each is sent once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete

from qikbiz.identity.accounts.queries import administrators
from qikbiz.kernel.actors import SYSTEM, acting_as
from qikbiz.kernel.database import control_transaction, db, runtime, tenant_transaction
from qikbiz.kernel.timezones import zone_of
from qikbiz.messaging.mail.actions import send_platform
from qikbiz.messaging.mail.models import PlatformMail
from qikbiz.trust.account_closure.models import Closing, ErasureCertificate
from qikbiz.trust.billing.models import Invoice
from tenants.context import Tenant, current_tenant


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets an email, read from the tenant before the step."""

    key: str
    email: str
    name: str
    time_zone: str = ""


def recipients() -> list[Recipient]:
    """The administrators of the tenant entered."""
    zone = current_tenant().time_zone
    return [Recipient(str(one.id), one.email, one.name, one.time_zone or zone) for one in administrators()]


def recipients_of(tenant: Tenant) -> list[Recipient]:
    """The same from outside: the program looks them up, since staff enter no tenant."""
    with acting_as(SYSTEM), tenant_transaction(tenant):
        return recipients()


def notify(
    closing: Closing, template: str, step: str, people: Sequence[Recipient], facts: Mapping[str, object]
) -> None:
    """One mail for each person about one step. Moments among the facts are shown in the person's own time."""
    for person in people:
        shown = {name: _shown(value, person) for name, value in facts.items()}
        send_platform(
            f"closing_{template}",
            to_address=person.email,
            to_name=person.name,
            values={"name": person.name, **shown},
            dedupe_key=f"{_prefix(closing)}{step}:{person.key}",
        )


def page_of(tenant: Tenant) -> str:
    return f"{runtime().settings.origin(tenant.host)}/closing"


def certificate_url(number: str) -> str:
    settings = runtime().settings
    return f"{settings.origin(settings.base_domain)}/certificates/{number}"


def send_certificate(closing: Closing, organisation: str, certificate: ErasureCertificate) -> None:
    """To who requested it, or to every administrator when the operator did. Afterwards the addresses are deleted."""
    counts = certificate.document["counts"]
    facts = {
        "organisation": organisation,
        "number": certificate.number,
        "erased": closing.erased_at,
        "backups": certificate.document["backups_gone_by"],
        "counts": counts,
        "url": certificate_url(certificate.number),
        "by_us": closing.ended_by == "operator",
    }
    people = [Recipient(f"person {n}", email, name, "UTC") for n, (name, email) in enumerate(closing.certificate_to)]
    if closing.asked_by_email:
        people.append(Recipient("asker", closing.asked_by_email, closing.asked_by_name, "UTC"))
    notify(closing, "certificate", "erased", people, facts)


def send_invoice(closing: Closing, invoice: Invoice, tenant: Tenant, people: Sequence[Recipient]) -> None:
    facts = {
        "organisation": tenant.name,
        "number": invoice.number,
        "amount": f"{invoice.amount} {invoice.currency}",
        "url": f"{page_of(tenant)}/invoice",
    }
    notify(closing, "invoice", "invoice", people, facts)


def delete_mails(closing: Closing) -> None:
    """Drop the rows of every mail about an account that is erased now."""
    db.control.execute(delete(PlatformMail).where(PlatformMail.dedupe_key.startswith(_prefix(closing))))


def delete_sent_certificates() -> None:
    """Once it has left, the mail with a certificate is the last thing that names a person: its row is deleted."""
    left = PlatformMail.state.in_(("sent", "unknown", "dropped")), PlatformMail.template == "closing_certificate"
    with control_transaction() as control:
        control.execute(delete(PlatformMail).where(*left))


def _prefix(closing: Closing) -> str:
    return f"closing:{closing.id}:"


def _shown(value: object, person: Recipient) -> object:
    if not isinstance(value, datetime):
        return value
    local = value.astimezone(zone_of(person.time_zone))
    return f"{local.day} {local:%B %Y, %H:%M %Z}"
