"""One act on all ticked rows."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from qikbiz.audit.models import RecordChange
from qikbiz.crm.contacts.models import Contact
from tests.fixtures.world import Organisation


@pytest.fixture
def three(organisation: Organisation) -> list[str]:
    return [organisation.add_contact(last_name=name, tags=["Old"]) for name in ("Abel", "Berger", "Celik")]


def act(organisation: Organisation, person: str, name: str, ids: list[str], **more: str) -> Any:
    return organisation.browser(person).post(
        "/contacts/several", {"act": name, "ids": ids, "next": "/contacts?q=a", **more}
    )


def column(organisation: Organisation, name: str) -> list[Any]:
    with organisation.work() as session:
        return list(session.scalars(select(getattr(Contact, name)).order_by(Contact.sort_name)))


def test_tags_are_added_and_taken_off(organisation: Organisation, three: list[str]) -> None:
    answer = act(organisation, "ben", "tag", three[:2], tag="VIP, Old")
    assert answer.location == "/contacts?q=a"
    assert column(organisation, "tags") == [["Old", "VIP"], ["Old", "VIP"], ["Old"]]
    act(organisation, "ben", "untag", three, tag="Old")
    assert column(organisation, "tags") == [["VIP"], ["VIP"], []]
    with organisation.work() as session:
        assert len(session.scalars(select(RecordChange).where(RecordChange.kind == "changed")).all()) == 5


def test_an_owner_is_given_and_taken(organisation: Organisation, three: list[str]) -> None:
    ben = organisation.people["ben"].id
    act(organisation, "alice", "owner", three[:1], owner_id=str(ben))
    assert column(organisation, "owner_id") == [ben, None, None]
    assert act(organisation, "alice", "owner", three, owner_id=str(UUID(int=7))).status_code == 400
    act(organisation, "alice", "owner", three, owner_id="")
    assert column(organisation, "owner_id") == [None, None, None]


def test_several_are_deleted_and_brought_back_together(organisation: Organisation, three: list[str]) -> None:
    ben = organisation.browser("ben")
    page = ben.follow(act(organisation, "ben", "delete", three[:2])).text
    assert "Moved 2 contacts to the trash." in page
    assert column(organisation, "deleted_by") == [organisation.people["ben"].id, organisation.people["ben"].id, None]
    ben.post("/contacts/restorations?ids=" + ".".join(UUID(ident).hex for ident in three[:2]))
    assert column(organisation, "deleted_at") == [None, None, None]


def test_wrong_role_other_tenant_and_bad_input_change_nothing(
    organisation: Organisation, three: list[str], client_for: Any
) -> None:
    assert act(organisation, "bob", "delete", three).status_code == 403
    client_for("mallory").post("/contacts/several", {"act": "delete", "ids": three})
    assert act(organisation, "ben", "delete", ["17"]).status_code == 400
    assert act(organisation, "ben", "explode", three).status_code == 400
    assert act(organisation, "ben", "delete", three + [str(UUID(int=n)) for n in range(500)]).status_code == 400
    assert act(organisation, "ben", "tag", three, tag=" ").status_code == 400
    assert act(organisation, "ben", "tag", three, tag="x" * 51).status_code == 400
    assert "Select some rows" in organisation.browser("ben").follow(act(organisation, "ben", "delete", [])).text
    assert column(organisation, "deleted_at") == [None, None, None]
    assert column(organisation, "tags") == [["Old"]] * 3
