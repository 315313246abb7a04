"""Adding a contact by hand."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from sqlalchemy import select

from qikbiz.audit.models import AuditEvent
from qikbiz.crm.contacts.models import Contact, ContactCompany
from qikbiz.kernel.database import db, tenant_transaction
from tenants.runtime import Runtime
from tests.fixtures.web import Browser
from tests.fixtures.world import World

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
    client_for: Callable[[str], Browser], world: World, working: Runtime
) -> None:
    ben = client_for("ben")
    assert "New contact" in ben.get("/contacts/new").text
    page = ben.follow(ben.post("/contacts", ANN))
    assert page.status_code == 200
    assert "Ann Lee" in page.text
    with tenant_transaction(world.acme.tenant):
        contact = db.session.scalars(select(Contact).where(Contact.email == "ann.lee@example.com")).one()
        assert contact.other_emails == ["ann@home.example.org"]
        assert contact.phone == "+436641234567"
        assert contact.sort_name == "lee, ann"
        link = db.session.scalars(select(ContactCompany).where(ContactCompany.contact_id == contact.id)).one()
        assert (link.company_id, link.is_primary) == (contact.company_id, True)
        events = db.session.scalars(select(AuditEvent.action).where(AuditEvent.record_id == contact.id)).all()
        assert set(events) == {"contact.created", "contact.read"}


def contacts_named(world: World, last_name: str) -> list[Contact]:
    with tenant_transaction(world.acme.tenant):
        return list(db.session.scalars(select(Contact).where(Contact.last_name == last_name)))


def test_a_form_whose_answer_was_lost_and_is_sent_again_is_one_contact(
    client_for: Callable[[str], Browser], world: World, working: Runtime
) -> None:
    ben = client_for("ben")
    once = re.search('name="once" value="([^"]+)"', ben.get("/contacts/new").text)
    assert once is not None
    form = {"last_name": "Sentagain", "once": once[1]}
    first, second = ben.post("/contacts", form), ben.post("/contacts", form | {"last_name": "Sentagain Later"})
    assert (first.status_code, second.status_code, second.location) == (303, 303, first.location)
    assert len(contacts_named(world, "Sentagain")) == 1 and contacts_named(world, "Sentagain Later") == []


def test_two_presses_at_the_same_moment_are_one_contact(
    client_for: Callable[[str], Browser], world: World, working: Runtime
) -> None:
    form = {"last_name": "Twice", "once": str(uuid4())}
    browsers = [client_for("ben") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda browser: browser.post("/contacts", form), browsers))
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, answers[0].location)}
    assert len(contacts_named(world, "Twice")) == 1


def test_an_id_of_somebody_elses_record_gives_a_record_of_ones_own(
    client_for: Callable[[str], Browser], world: World, working: Runtime
) -> None:
    theirs = str(client_for("alice").post("/contacts", {"last_name": "Hers"}).location).rpartition("/")[2]
    answer = client_for("ben").post("/contacts", {"last_name": "His", "once": theirs})
    assert answer.status_code == 303 and theirs not in answer.location
    assert [contact.last_name for contact in contacts_named(world, "Hers")] == ["Hers"]
    assert client_for("ben").post("/contacts", {"last_name": "Odd", "once": "no id"}).status_code == 303
