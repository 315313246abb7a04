"""One act on all ticked rows."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from qikbiz.audit.models import RecordChange
from qikbiz.crm.contacts.models import Contact
from tests.fixtures.records import Workspace


@pytest.fixture
def three(workspace: Workspace) -> list[str]:
    return [workspace.add_contact(last_name=name, tags=["Old"]) for name in ("Abel", "Berger", "Celik")]


def act(workspace: Workspace, person: str, name: str, ids: list[str], **more: str) -> Any:
    return workspace.browser(person).post(
        "/contacts/several", {"act": name, "ids": ids, "next": "/contacts?q=a", **more}
    )


def column(workspace: Workspace, name: str) -> list[Any]:
    with workspace.work() as session:
        return list(session.scalars(select(getattr(Contact, name)).order_by(Contact.sort_name)))


def test_tags_are_added_and_taken_off(workspace: Workspace, three: list[str]) -> None:
    answer = act(workspace, "ben", "tag", three[:2], tag="VIP, Old")
    assert answer.location == "/contacts?q=a"
    assert column(workspace, "tags") == [["Old", "VIP"], ["Old", "VIP"], ["Old"]]
    act(workspace, "ben", "untag", three, tag="Old")
    assert column(workspace, "tags") == [["VIP"], ["VIP"], []]
    with workspace.work() as session:
        assert len(session.scalars(select(RecordChange).where(RecordChange.kind == "changed")).all()) == 5


def test_an_owner_is_given_and_taken(workspace: Workspace, three: list[str]) -> None:
    ben = workspace.people["ben"].id
    act(workspace, "alice", "owner", three[:1], owner_id=str(ben))
    assert column(workspace, "owner_id") == [ben, None, None]
    assert act(workspace, "alice", "owner", three, owner_id=str(UUID(int=7))).status_code == 400
    act(workspace, "alice", "owner", three, owner_id="")
    assert column(workspace, "owner_id") == [None, None, None]


def test_several_are_deleted_and_brought_back_together(workspace: Workspace, three: list[str]) -> None:
    ben = workspace.browser("ben")
    page = ben.follow(act(workspace, "ben", "delete", three[:2])).text
    assert "Moved 2 contacts to the trash." in page
    assert column(workspace, "deleted_by") == [workspace.people["ben"].id, workspace.people["ben"].id, None]
    ben.post("/contacts/restorations?ids=" + ".".join(UUID(ident).hex for ident in three[:2]))
    assert column(workspace, "deleted_at") == [None, None, None]


def test_wrong_role_other_tenant_and_bad_input_change_nothing(
    workspace: Workspace, three: list[str], client_for: Any
) -> None:
    assert act(workspace, "bob", "delete", three).status_code == 403
    client_for("mallory").post("/contacts/several", {"act": "delete", "ids": three})
    assert act(workspace, "ben", "delete", ["17"]).status_code == 400
    assert act(workspace, "ben", "explode", three).status_code == 400
    assert act(workspace, "ben", "delete", three + [str(UUID(int=n)) for n in range(500)]).status_code == 400
    assert act(workspace, "ben", "tag", three, tag=" ").status_code == 400
    assert act(workspace, "ben", "tag", three, tag="x" * 51).status_code == 400
    assert "Select some rows" in workspace.browser("ben").follow(act(workspace, "ben", "delete", [])).text
    assert column(workspace, "deleted_at") == [None, None, None]
    assert column(workspace, "tags") == [["Old"]] * 3
