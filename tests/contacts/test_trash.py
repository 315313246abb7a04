"""Deleting to the trash, restoring, and deleting permanently."""

import re
from typing import Any
from uuid import UUID

from sqlalchemy import select

from qikbiz.audit.models import AuditEvent, RecordChange
from qikbiz.crm.contacts.models import Contact
from tests.fixtures.world import Organisation


def is_alive(organisation: Organisation, contact_id: str) -> bool | None:
    with organisation.work() as session:
        found = session.get(Contact, UUID(contact_id))
        return None if found is None else found.deleted_at is None


def test_a_deleted_contact_leaves_the_lists_and_the_message_undoes_it(organisation: Organisation) -> None:
    ann = organisation.add_contact(first_name="Ann", last_name="Lee")
    ben = organisation.browser("ben")
    page = ben.follow(ben.post(f"/contacts/{ann}/deletion")).text
    assert "Contact moved to the trash." in page
    assert "No contacts yet" in page
    assert "No results" in ben.get("/search?q=lee").text
    assert ben.get(f"/contacts/{ann}/edit").status_code == 404
    undo = re.search(r'action="([^"]*/restorations[^"]*)"', page)
    assert undo
    back = ben.follow(ben.post(undo[1]))
    assert "Restored 1 contact." in back.text
    assert is_alive(organisation, ann)
    with organisation.work() as session:
        kinds = session.scalars(select(RecordChange.kind).order_by(RecordChange.id)).all()
    assert kinds == ["created", "deleted", "restored"]


def test_twice_is_harmless(organisation: Organisation) -> None:
    ann = organisation.add_contact(first_name="Ann")
    ben = organisation.browser("ben")
    assert ben.post(f"/contacts/{ann}/deletion").status_code == 303
    assert ben.post(f"/contacts/{ann}/deletion").status_code == 404
    for _ in range(2):
        assert ben.post(f"/contacts/restorations?ids={UUID(ann).hex}").status_code == 303
    assert is_alive(organisation, ann)


def test_a_reader_and_an_outsider_delete_nothing(organisation: Organisation, client_for: Any) -> None:
    ann = organisation.add_contact(first_name="Ann")
    hexed = UUID(ann).hex
    assert organisation.browser("bob").post(f"/contacts/{ann}/deletion").status_code == 403
    assert organisation.browser("bob").get("/contacts/trash").status_code == 403
    assert client_for("mallory").post(f"/contacts/{ann}/deletion").status_code == 404
    client_for("mallory").post(f"/contacts/restorations?ids={hexed}")
    assert is_alive(organisation, ann)
    organisation.browser("ben").post(f"/contacts/{ann}/deletion")
    client_for("mallory").post(f"/contacts/restorations?ids={hexed}")
    assert organisation.browser("bob").get(f"/contacts/{ann}").status_code == 404
    assert is_alive(organisation, ann) is False


def test_a_broken_link_to_restore_is_refused(organisation: Organisation) -> None:
    assert organisation.browser("ben").post("/contacts/restorations?ids=17.xx").status_code == 400


def test_the_trash_lists_what_was_deleted_and_by_whom(organisation: Organisation) -> None:
    ann = organisation.add_contact(first_name="Ann", last_name="Lee")
    organisation.browser("ben").post(f"/contacts/{ann}/deletion")
    page = organisation.browser("ben").get("/contacts/trash").text
    assert "Ann Lee" in page
    assert "<td>Ben</td>" in page
    assert "Delete permanently" not in page
    assert "Delete permanently" in organisation.browser("alice").get("/contacts/trash").text
    assert "is in the trash" in organisation.browser("alice").get(f"/contacts/{ann}").text


def test_only_an_administrator_removes_for_good_by_typing_the_name(organisation: Organisation) -> None:
    ann = organisation.add_contact(first_name="Ann", last_name="Lee")
    alice, ben = organisation.browser("alice"), organisation.browser("ben")
    assert alice.post(f"/contacts/{ann}/removal", {"typed": "Ann Lee"}).status_code == 404
    ben.post(f"/contacts/{ann}/deletion")
    assert ben.get(f"/contacts/{ann}/removal").status_code == 403
    assert ben.post(f"/contacts/{ann}/removal", {"typed": "Ann Lee"}).status_code == 403
    assert "Type <strong>Ann Lee</strong>" in alice.get(f"/contacts/{ann}/removal").text
    assert alice.post(f"/contacts/{ann}/removal", {"typed": "Ann"}).status_code == 400
    assert is_alive(organisation, ann) is False
    assert "was permanently deleted" in alice.follow(alice.post(f"/contacts/{ann}/removal", {"typed": "Ann Lee"})).text
    assert is_alive(organisation, ann) is None
    with organisation.work() as session:
        assert session.scalars(select(RecordChange)).all() == []
        assert (
            session.scalars(select(AuditEvent.subject).where(AuditEvent.action == "contact.purged")).one() == "Ann Lee"
        )
