"""One act on all ticked rows."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from qikbiz.audit.models import RecordChange
from qikbiz.crm.contacts.models import Contact
from tests.fixtures.records import Office


@pytest.fixture
def three(office: Office) -> list[str]:
    return [office.add_contact(last_name=name, tags=["Old"]) for name in ("Abel", "Berger", "Celik")]


def act(office: Office, person: str, name: str, ids: list[str], **more: str) -> Any:
    return office.browser(person).post("/contacts/several", {"act": name, "ids": ids, "next": "/contacts?q=a", **more})


def column(office: Office, name: str) -> list[Any]:
    with office.work() as session:
        return list(session.scalars(select(getattr(Contact, name)).order_by(Contact.sort_name)))


def test_tags_are_added_and_taken_off(office: Office, three: list[str]) -> None:
    answer = act(office, "ben", "tag", three[:2], tag="VIP, Old")
    assert answer.location == "/contacts?q=a"
    assert column(office, "tags") == [["Old", "VIP"], ["Old", "VIP"], ["Old"]]
    act(office, "ben", "untag", three, tag="Old")
    assert column(office, "tags") == [["VIP"], ["VIP"], []]
    with office.work() as session:
        assert len(session.scalars(select(RecordChange).where(RecordChange.kind == "changed")).all()) == 5


def test_an_owner_is_given_and_taken(office: Office, three: list[str]) -> None:
    ben = office.people["ben"].id
    act(office, "alice", "owner", three[:1], owner_id=str(ben))
    assert column(office, "owner_id") == [ben, None, None]
    assert act(office, "alice", "owner", three, owner_id=str(UUID(int=7))).status_code == 400
    act(office, "alice", "owner", three, owner_id="")
    assert column(office, "owner_id") == [None, None, None]


def test_several_are_deleted_and_brought_back_together(office: Office, three: list[str]) -> None:
    ben = office.browser("ben")
    page = ben.follow(act(office, "ben", "delete", three[:2])).text
    assert "Moved 2 contacts to the trash." in page
    assert column(office, "deleted_by") == [office.people["ben"].id, office.people["ben"].id, None]
    ben.post("/contacts/restorations?ids=" + ".".join(UUID(ident).hex for ident in three[:2]))
    assert column(office, "deleted_at") == [None, None, None]


def test_wrong_role_other_tenant_and_bad_input_change_nothing(
    office: Office, three: list[str], client_for: Any
) -> None:
    assert act(office, "bob", "delete", three).status_code == 403
    client_for("mallory").post("/contacts/several", {"act": "delete", "ids": three})
    assert act(office, "ben", "delete", ["17"]).status_code == 400
    assert act(office, "ben", "explode", three).status_code == 400
    assert act(office, "ben", "delete", three + [str(UUID(int=n)) for n in range(500)]).status_code == 400
    assert act(office, "ben", "tag", three, tag=" ").status_code == 400
    assert act(office, "ben", "tag", three, tag="x" * 51).status_code == 400
    assert "Tick some rows" in office.browser("ben").follow(act(office, "ben", "delete", [])).text
    assert column(office, "deleted_at") == [None, None, None]
    assert column(office, "tags") == [["Old"]] * 3
