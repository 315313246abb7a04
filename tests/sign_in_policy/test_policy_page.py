"""Promise P16: an organisation's own policy for logins, never below the floor, in pages, code and database."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import IntegrityError

from qikbiz.identity.sign_in_policy.models import SignInPolicy
from qikbiz.identity.sign_in_policy.rules import ABSOLUTE_HOURS, CHARACTERS, FLOOR, IDLE_MINUTES, REMEMBER_DAYS
from tests.fixtures.mfa import set_up_app
from tests.sign_in_policy.conftest import AS_IT_IS, PAGE


@pytest.mark.promise("P16")
def test_an_administrator_sees_what_is_in_force(client_for):
    page = client_for("alice").get(PAGE).text
    assert "never weaker" in page
    assert 'name="least_characters"' in page
    assert "You can require your own identity provider once" in page


@pytest.mark.promise("P16")
@pytest.mark.parametrize("name", ["ben", "bob"])
def test_nobody_else_sees_or_sets_it(client_for, name):
    browser = client_for(name)
    assert browser.get(PAGE).status_code == 403
    for path in (PAGE, f"{PAGE}/preview", f"{PAGE}/break-glass-code"):
        assert browser.post(path, AS_IT_IS).status_code == 403


@pytest.mark.promise("P16")
def test_it_says_what_it_will_do_before_it_is_saved(log_in, paula, otto, add_person, rows_of):
    add_person(paula.tenant, "Ria", "reader")
    set_up_app(log_in(add_person(paula.tenant, "Sue", "member")))
    browser = log_in(paula)
    log_in(otto, remember=True)
    wanted = AS_IT_IS | {"factor_for": "everyone", "remember_days": "0", "idle_minutes": "10", "least_characters": "20"}
    page = browser.post(f"{PAGE}/preview", wanted).text
    assert "3 users have no second factor and will set one up at the next sign-in." in page
    assert "1 remembered device will be forgotten" in page
    assert "fewer than 20 characters" in page
    assert "The new limits apply to" in page and "; 0 of them end immediately" in page
    assert rows_of(paula.tenant, "select id from sign_in_policy") == []
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    kept.pop("csrf_token")
    assert kept == wanted | {"sign_in": "any"}
    assert browser.post(PAGE, kept).status_code == 303
    assert 'value="20"' in browser.get(PAGE).text


@pytest.mark.promise("P16")
def test_it_counts_only_the_roles_that_are_asked(set_policy, otto, add_person, paula, log_in):
    browser = set_policy()
    wanted = AS_IT_IS | {"factor_for": "roles", "factor_roles": ["member", "reader"]}
    page = browser.post(f"{PAGE}/preview", wanted).text
    assert "1 user has no second factor" in page
    assert browser.post(PAGE, wanted).status_code == 303
    assert log_in(paula).get("/").status_code == 200


def test_a_preview_of_no_change_says_so(set_policy):
    browser = set_policy()
    answer = browser.post(f"{PAGE}/preview", AS_IT_IS)
    assert "There are no changes to save" in browser.follow(answer).text


BELOW = (
    ("least_characters", "14"), ("least_characters", "65"), ("least_characters", "x"), ("least_characters", ""),
    ("idle_minutes", "61"), ("idle_minutes", "4"), ("idle_minutes", "-1"), ("absolute_hours", "13"),
    ("absolute_hours", "0"), ("remember_days", "31"), ("remember_days", "-1"), ("factor_for", "somebody"),
    ("factor_roles", "operator"),
)  # fmt: skip


@pytest.mark.promise("P16")
def test_nothing_below_the_floor_or_beside_the_point_is_taken(set_policy, rows_of, paula, subtests):
    browser = set_policy(least_characters="20")
    for name, value in BELOW:
        with subtests.test(f"{name}: {value}"):
            wanted = AS_IT_IS | {name: value}
            assert browser.post(f"{PAGE}/preview", wanted).status_code == 422
            assert browser.post(PAGE, wanted).status_code == 422
            assert rows_of(paula.tenant, "select least_characters from sign_in_policy")[0]["least_characters"] == 20


@pytest.mark.promise("P16")
def test_roles_must_be_named_and_unknown_fields_are_refused(set_policy):
    browser = set_policy()
    assert browser.post(PAGE, AS_IT_IS | {"factor_for": "roles"}).status_code == 422
    assert browser.post(PAGE, AS_IT_IS | {"sso_only": "y"}).status_code == 400


REFUSED_BY_THE_DATABASE = (("least_characters", 14), ("idle_minutes", 61), ("idle_minutes", 4), ("absolute_hours", 13),
 ("absolute_hours", 0), ("remember_days", 31), ("factor_for", "'no'"), ("factor_for", "'roles'"), ("id", 2),
)  # fmt: skip


@pytest.mark.promise("P16")
def test_the_database_holds_the_floor_too(set_policy, rows_of, paula, subtests):
    set_policy(least_characters="16")
    for column, value in REFUSED_BY_THE_DATABASE:
        with subtests.test(f"{column}: {value}"), pytest.raises(IntegrityError):
            rows_of(paula.tenant, f"update sign_in_policy set {column} = {value}")


@pytest.mark.promise("P16")
def test_code_and_database_have_the_same_bounds():
    texts = " ".join(str(check.sqltext) for check in SignInPolicy.__table__.constraints if hasattr(check, "sqltext"))
    for column, bounds in (
        ("least_characters", CHARACTERS),
        ("idle_minutes", IDLE_MINUTES),
        ("absolute_hours", ABSOLUTE_HOURS),
        ("remember_days", REMEMBER_DAYS),
    ):
        low, high = sorted(bounds)
        assert f"{column} between {low} and {high}" in texts
        assert getattr(FLOOR, column) == bounds[0]
        assert int(SignInPolicy.__table__.c[column].server_default.arg) == bounds[0]


@pytest.mark.promise("P16")
def test_a_change_is_written_down_old_and_new(set_policy, rows_of, paula):
    set_policy(least_characters="18")
    set_policy(least_characters="22", remember_days="7")
    acts = rows_of(paula.tenant, "select details from audit_events where action = 'policy.changed' order by id")
    assert [act["details"]["changes"] for act in acts] == [
        {"least_characters": [15, 18]},
        {"least_characters": [18, 22], "remember_days": [30, 7]},
    ]


@pytest.mark.promise("P16")
def test_it_needs_a_fresh_login(set_policy, clock):
    browser = set_policy()
    clock.move(minutes=16)
    assert browser.post(PAGE, AS_IT_IS).location.startswith("/confirm")
    assert browser.post(f"{PAGE}/preview", AS_IT_IS).location.startswith("/confirm")


@pytest.mark.promise("P16")
def test_one_organisations_policy_is_no_others(set_policy, client_for, world, log_in):
    set_policy(least_characters="40", remember_days="0", factor_for="everyone")
    assert log_in(world.mallory).get("/").status_code == 200
    assert "At least 15 characters" in log_in(world.ben).get("/profile/password").text


def test_two_who_save_the_first_policy_at_once_come_one_after_the_other(log_in, paula, add_person, rows_of):
    browsers = [log_in(paula), log_in(add_person(paula.tenant, "Quin", "administrator"))]
    tokens = [browser.csrf_token() for browser in browsers]

    def save(one: int) -> int:
        form = AS_IT_IS | {"least_characters": str(20 + one), "csrf_token": tokens[one]}
        return browsers[one].post(PAGE, form, check=False).status_code

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(save, (0, 1))) == [303, 303]
    assert len(rows_of(paula.tenant, "select id from sign_in_policy")) == 1
