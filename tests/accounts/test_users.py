"""Administrators invite people, change what they may do, and can't lock their organisation out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest


@pytest.fixture
def tenant(fresh_tenant):
    return fresh_tenant("Umbrella")


@pytest.fixture
def anna(tenant, add_person, log_in):
    """A browser of an administrator."""
    return log_in(add_person(tenant, "Anna", "administrator"))


def test_an_administrator_sees_who_may_log_in(anna, tenant, add_person):
    add_person(tenant, "Bert", "reader")
    page = anna.get("/users").text
    assert "Anna" in page
    assert "bert@" in page


@pytest.mark.parametrize("name", ["ben", "bob"])
def test_others_do_not(client_for, name):
    browser = client_for(name)
    assert browser.get("/users").status_code == 403
    assert (
        browser.post("/users/invitation", {"name": "X", "email": "x@example.com", "role": "reader"}).status_code == 403
    )


def test_inviting_sends_a_mail(anna, tenant, rows_of):
    answer = anna.post("/users/invitation", {"name": "Cleo", "email": "Cleo@Example.com", "role": "member"})
    assert answer.status_code == 303
    assert "Cleo" in anna.get("/users").text
    assert rows_of(tenant, "select to_address from mails where template = 'invitation' and to_name = 'Cleo'")
    events = rows_of(tenant, "select action from audit_events where subject = 'Cleo@example.com'")
    assert [event["action"] for event in events] == ["user.invited"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("email", "x" * 400 + "@example.com"),
        ("name", ""),
        ("name", "a\u202eb"),
        ("role", "owner"),
    ],
)
def test_a_bad_invitation_is_refused_beside_its_field(anna, field, value):
    form = {"name": "Cleo", "email": "cleo@example.com", "role": "member"} | {field: value}
    page = anna.post("/users/invitation", form)
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text or 'aria-invalid="true"' in page.text or "field-error" in page.text


def test_the_same_address_is_not_invited_twice_once_it_logs_in(anna, tenant, add_person):
    bert = add_person(tenant, "Bert", "reader")
    page = anna.post("/users/invitation", {"name": "Bert", "email": bert.email.upper(), "role": "administrator"})
    assert page.status_code == 422
    assert "already exists" in page.text


@pytest.mark.parametrize("extra", [{"state": "active"}, {"tenant_id": "1"}, {"password_hash": "x"}, {"epoch": "9"}])
def test_a_field_the_form_does_not_have_is_refused_by_name(anna, extra, rows_of, tenant):
    page = anna.post("/users/invitation", {"name": "Cleo", "email": "cleo@example.com", "role": "member"} | extra)
    assert page.status_code == 400
    assert next(iter(extra)) in page.text
    assert not rows_of(tenant, "select id from users where name = 'Cleo'")


def test_a_role_can_not_be_set_on_the_side_in_the_profile(client_for):
    page = client_for("bob").post(
        "/profile", {"name": "Bob", "time_zone": "UTC", "theme": "auto", "role": "administrator"}
    )
    assert page.status_code == 400
    assert "role" in page.text


def test_the_only_administrator_stays_one(anna, tenant, rows_of):
    own = rows_of(tenant, "select id from users where name = 'Anna'")[0]["id"]
    refused = anna.post(f"/users/{own}/role", {"role": "reader"})
    assert refused.status_code == 409
    assert "only administrator" in refused.text
    assert anna.post(f"/users/{own}/closure").status_code == 409
    assert anna.get("/users").status_code == 200


def test_two_administrators_who_demote_each_other_at_once_leave_one(anna, tenant, add_person, log_in, rows_of):
    ben = add_person(tenant, "Ben", "administrator")
    browser = log_in(ben)
    own = rows_of(tenant, "select id from users where name = 'Anna'")[0]["id"]
    acts = [(anna, ben.id, anna.csrf_token()), (browser, own, browser.csrf_token())]

    def demote(act):
        who, whom, token = act
        return who.post(f"/users/{whom}/role", {"role": "reader", "csrf_token": token}).status_code

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(demote, acts))
    assert answers in ([303, 403], [303, 409])
    left = rows_of(tenant, "select id from users where 'administrator' = any(roles) and state = 'active'")
    assert len(left) == 1


def test_a_disabled_user_can_be_let_in_again(anna, tenant, add_person, browser_at):
    bert = add_person(tenant, "Bert", "reader")
    anna.post(f"/users/{bert.id}/closure")
    assert browser_at(tenant.host).log_in(bert.email, bert.password).status_code == 401
    anna.post(f"/users/{bert.id}/opening")
    assert browser_at(tenant.host).log_in(bert.email, bert.password).status_code == 303


def test_users_of_another_tenant_are_not_there(anna, world):
    for act in ("role", "closure", "opening", "invitation"):
        assert (
            anna.post(f"/users/{world.alice.id}/{act}", {"role": "reader"} if act == "role" else {}).status_code == 404
        )


def test_changing_who_may_do_what_needs_a_password_given_lately(anna, tenant, add_person, clock, rows_of):
    bert = add_person(tenant, "Bert", "reader")
    clock.move(minutes=16)
    asked = anna.post(f"/users/{bert.id}/role", {"role": "member"}, headers={"Referer": f"{anna.origin}/users"})
    assert asked.location == "/confirm?next=%2Fusers"
    assert rows_of(tenant, "select roles from users where id = :id", id=bert.id)[0]["roles"] == ["reader"]
    assert anna.post("/confirm", {"password": "wrong password here", "next": "/users"}).status_code == 401
    confirmed = anna.post("/confirm", {"password": "correct horse battery staple", "next": "/users"})
    assert confirmed.location == "/users"
    anna.post(f"/users/{bert.id}/role", {"role": "member"})
    assert rows_of(tenant, "select roles from users where id = :id", id=bert.id)[0]["roles"] == ["member"]


def test_every_change_is_in_the_audit_with_who_did_it(anna, tenant, add_person, rows_of):
    bert = add_person(tenant, "Bert", "reader")
    anna.post(f"/users/{bert.id}/role", {"role": "member"})
    anna.post(f"/users/{bert.id}/closure")
    anna.post(f"/users/{bert.id}/opening")
    query = "select action, actor_name from audit_events where record_id = :id and actor_kind = 'user' order by at, id"
    events = [(row["action"], row["actor_name"]) for row in rows_of(tenant, query, id=bert.id)]
    assert events == [("user.roles_changed", "Anna"), ("user.disabled", "Anna"), ("user.enabled", "Anna")]
