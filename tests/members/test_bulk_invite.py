"""Several people are invited from a table: what is wrong is said line by line before any mail leaves."""

from __future__ import annotations

import io

import pytest

from qikbiz.identity.members import bulk_invite
from qikbiz.kernel.permissions import Permission
from qikbiz.kernel.rights import Rights

pytestmark = pytest.mark.promise("P14")
GOOD = 'name,email,roles,team\nCleo Lee,cleo@x.example,member,North\nDan Yu,dan@x.example,"Reader, member",\n'


def _mails(rows_of, tenant):
    return {row["to_address"] for row in rows_of(tenant, "select to_address from mails where template = 'invitation'")}


def test_nothing_is_sent_before_it_was_looked_at(staffed, rows_of):
    staffed.team("North")
    alice, tenant = staffed.organisation.browser("alice"), staffed.organisation.tenant
    before = _mails(rows_of, tenant)
    page = alice.post("/users/invitations", {"table": GOOD})
    assert page.status_code == 200 and "Invite 2 users" in page.text and "Cleo Lee" in page.text
    assert _mails(rows_of, tenant) == before


def test_those_chosen_are_invited_with_roles_and_team(staffed, rows_of):
    team, tenant = staffed.team("North"), staffed.organisation.tenant
    alice = staffed.organisation.browser("alice")
    assert alice.post("/users/invitations/sending", {"table": GOOD, "lines": ["2"]}).status_code == 303
    invited = rows_of(tenant, "select id, name, roles, state from users where email = 'cleo@x.example'")[0]
    assert (invited["name"], invited["roles"], invited["state"]) == ("Cleo Lee", ["member"], "invited")
    members = rows_of(tenant, "select user_id from team_members where team_id = :id", id=team)
    assert [row["user_id"] for row in members] == [invited["id"]]
    assert not rows_of(tenant, "select id from users where email = 'dan@x.example'")
    alice.post("/users/invitations/sending", {"table": GOOD, "lines": ["2", "3"]})
    assert _mails(rows_of, tenant) >= {"cleo@x.example", "dan@x.example"}
    roles = rows_of(tenant, "select roles from users where email = 'dan@x.example'")[0]["roles"]
    assert roles == ["reader", "member"]


MISTAKES = (
    ("Cleo,not an address,member,", "not an email address"),
    (",cleo@x.example,member,", "Enter a name"),
    ("Cleo,cleo@x.example,owner,", "no role called"),
    ("Cleo,cleo@x.example,,", "at least one role"),
    ("Cleo,cleo@x.example,member,Nowhere", "no team called"),
    ("Cleo,BEN_ADDRESS,member,", "already exists"),
    ("Cleo,dan@x.example,member,", "has the same email address"),
    ("x" * 201 + ",cleo@x.example,member,", "at most 200"),
    ("C\u202eleo,cleo@x.example,member,", "a character that can"),
)


def test_a_line_with_a_mistake_says_which_and_is_not_sent(staffed, rows_of, subtests):
    for line, said in MISTAKES:
        with subtests.test(said):
            ben = staffed.organisation.people["ben"].email.upper()
            table = "name,email,roles,team\nDan,dan@x.example,reader,\n" + line.replace("BEN_ADDRESS", ben) + "\n"
            alice = staffed.organisation.browser("alice")
            page = alice.post("/users/invitations", {"table": table})
            assert said in page.text
            refused = alice.post("/users/invitations/sending", {"table": table, "lines": ["3"]})
            assert refused.status_code == 422
            assert alice.post("/users/invitations/sending", {"table": table, "lines": ["2", "3"]}).status_code == 422
            assert not rows_of(staffed.organisation.tenant, "select id from users where name like 'C%'")


USELESS_TABLES = (
    ("", "table is empty"),
    ("who,what\nAnn,Lee", "Missing: name, email, roles"),
    ("name,email,roles\n" + "A,a@x.example,member\n" * 201, "At most 200"),
    ("name,email,roles\n" + "x" * 70_000, "more than 64 KB"),
    ('name,email,roles\n"Ann,a@x.example,member', "The table can"),
)


def test_a_table_that_can_not_be_used_is_refused_whole(staffed, subtests):
    for table, said in USELESS_TABLES:
        with subtests.test(said):
            page = staffed.organisation.browser("alice").post("/users/invitations", {"table": table})
            assert page.status_code == 422 and said in page.text


def test_a_file_from_a_spreadsheet_is_read_too(staffed):
    content = "\ufeffName;E-mail;Roles\r\nZoë Lee;zoe@x.example;member\r\n".encode()
    form = {"file": (io.BytesIO(content), "people.csv"), "table": ""}
    page = staffed.organisation.browser("alice").post("/users/invitations", form)
    assert "Zoë Lee" in page.text and "Invite 1 user" in page.text


def test_nobody_gives_a_role_with_more_than_they_have(staffed, rows_of):
    staffed.join("cleo", Rights.of(see="all", pages=[Permission.USER_INVITE, Permission.USER_MANAGE]))
    cleo = staffed.organisation.browser("cleo")
    table = "name,email,roles\nDan,dan@x.example,administrator\n"
    assert "more than you" in cleo.post("/users/invitations", {"table": table}).text
    assert cleo.post("/users/invitations/sending", {"table": table, "lines": ["2"]}).status_code == 422
    assert not rows_of(staffed.organisation.tenant, "select id from users where name = 'Dan'")


@pytest.mark.parametrize("who", ["ben", "bob"])
def test_others_can_not_invite(staffed, who):
    browser = staffed.organisation.browser(who)
    assert browser.get("/users/invitations").status_code == 403
    for path in ("/users/invitations", "/users/invitations/sending"):
        assert browser.post(path, {"table": GOOD, "lines": ["2"]}).status_code == 403


def test_sending_twice_invites_nobody_twice(staffed, rows_of):
    staffed.team("North")
    alice = staffed.organisation.browser("alice")
    for _ in range(2):
        alice.post("/users/invitations/sending", {"table": GOOD, "lines": ["2", "3"]})
    assert len(rows_of(staffed.organisation.tenant, "select id from users where email like '%@x.example'")) == 2


def test_inviting_again_does_not_bring_down_somebody_who_may_do_more(staffed, rows_of):
    alice = staffed.organisation.browser("alice")
    alice.post("/users/invitation", {"name": "Dan", "email": "dan@x.example", "role": "administrator"})
    staffed.join("cleo", Rights.of(see="all", pages=[Permission.USER_INVITE]))
    cleo = staffed.organisation.browser("cleo")
    again = cleo.post("/users/invitation", {"name": "Nobody", "email": "dan@x.example", "role": "reader"})
    assert again.status_code == 403
    kept = rows_of(staffed.organisation.tenant, "select name, roles from users where email = 'dan@x.example'")[0]
    assert (kept["name"], kept["roles"]) == ("Dan", ["administrator"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp1250"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_tables_of_every_system_are_read(encoding, ends):
    name = "Małgorzata Łęcka" if encoding == "cp1250" else "Zoé Müller"
    content = ends.join(["name,email,roles", f"{name},zoe@x.example,member", ""]).encode(encoding)
    assert [cells for _, cells in bulk_invite._lines(bulk_invite.text_of(content))] == [
        ["name", "email", "roles"],
        [name, "zoe@x.example", "member"],
    ]
