"""Adding a contact by hand."""

from collections.abc import Callable

from sqlalchemy import select

from qikbiz.audit.models import AuditEvent
from qikbiz.contacts.models import Contact, ContactCompany
from qikbiz.database import db, tenant_work
from tenants.runtime import Runtime
from tests.fixtures.tenancy import Platform
from tests.fixtures.web import Browser

ANN = {
    "first_name": "Ann",
    "last_name": "Lee",
    "emails-0-label": "work",
    "emails-0-address": "Ann.Lee@Example.com",
    "emails-1-address": "ann@home.example.org",
    "phones-0-label": "mobile",
    "phones-0-number": "+43 664 1234567",
    "company_name": "Umbrella Optics",
    "tags": "VIP, Vienna",
}


def test_ben_creates_a_contact_and_its_company(
    client_for: Callable[[str], Browser], platform: Platform, working: Runtime
) -> None:
    ben = client_for("ben")
    assert "New contact" in ben.get("/contacts/new").text
    page = ben.follow(ben.post("/contacts", ANN))
    assert page.status_code == 200
    assert "Ann Lee" in page.text
    with tenant_work(platform.acme):
        contact = db.session.scalars(select(Contact).where(Contact.email == "ann.lee@example.com")).one()
        assert contact.other_emails == ["ann@home.example.org"]
        assert contact.phone == "+436641234567"
        assert contact.sort_name == "lee, ann"
        link = db.session.scalars(select(ContactCompany).where(ContactCompany.contact_id == contact.id)).one()
        assert (link.company_id, link.is_primary) == (contact.company_id, True)
        events = db.session.scalars(select(AuditEvent.action).where(AuditEvent.record_id == contact.id)).all()
        assert set(events) == {"contact.created", "contact.read"}
