"""What roles allow together, and that every permission has a place in the table."""

from __future__ import annotations

from uuid import uuid4

import pytest

from qikbiz.crm.schema.registry import BY_SINGULAR
from qikbiz.identity.roles.builtin_roles import built_in, everything, page_rights, staff_roles
from qikbiz.kernel.permissions import Permission, Role, every_permission, record_permission, record_types
from qikbiz.kernel.rights import (
    FOLLOWING,
    NOTHING,
    WAYS_IN,
    Action,
    FieldRule,
    Rights,
    Scope,
    every_act,
    rights_from_text,
    union,
)

ANN, BEN, CLEO = uuid4(), uuid4(), uuid4()


@pytest.mark.promise("P15")
def test_every_permission_has_a_place_in_the_table():
    of_pages = [right.permission for right in page_rights()]
    of_staff = {page for rights in staff_roles().values() for page in rights.pages}
    assert len(of_pages) == len(set(of_pages))
    assert not set(of_pages) & of_staff
    of_records = {record_permission(*act) for act in every_act()}
    assert every_permission() == WAYS_IN | of_records | set(FOLLOWING) | set(of_pages) | of_staff


@pytest.mark.promise("P15")
def test_every_record_type_has_every_act_in_the_table():
    assert set(record_types()) == set(BY_SINGULAR)
    assert {(permission.record_type, permission.action) for permission in every_permission() - set(Permission)} == {
        *every_act(),
        *((kind, None) for kind in record_types()),
    }


def test_staff_may_do_at_the_console_what_their_role_says_and_no_more():
    """Features declare it in many places; here it stands whole."""
    support = {"abuse:see", "platform-job:see", "platform-mail:see", "tenant:enter", "tenant:export", "tenant:import"}
    support |= {"tenant:see", "ticket:answer"}
    operator = support | {"abuse:decide", "announcement:send", "closing:handle", "platform-audit:see"}
    operator |= {"statement:announce", "tenant:create", "tenant:delete", "tenant:limit", "tenant:suspend"}
    auditor = {"abuse:see", "platform-audit:see", "platform-job:see", "tenant:see"}
    pages = {role: set(rights.pages) for role, rights in staff_roles().items()}
    assert pages == {"support": support, "operator": operator, "auditor": auditor}


def test_each_group_of_page_rights_stands_together():
    groups = [right.group for right in page_rights()]
    starts = [group for place, group in enumerate(groups) if place == 0 or groups[place - 1] != group]
    assert len(starts) == len(set(starts))


@pytest.mark.promise("P15")
def test_the_administrator_may_do_everything_that_a_tenant_has():
    staff = {page for rights in staff_roles().values() for page in rights.pages}
    assert all(built_in()[Role.ADMINISTRATOR].can(permission) for permission in every_permission() - staff)
    assert not any(built_in()[Role.ADMINISTRATOR].can(permission) for permission in staff)


@pytest.mark.promise("P15")
def test_the_widest_scope_of_several_roles_wins():
    both = union([Rights.of(see="all", change="own"), Rights.of(see="team", change="team", export="own")])
    assert both.scope("contact", Action.SEE) is Scope.ALL
    assert both.scope("contact", Action.CHANGE) is Scope.TEAM
    assert both.scope("contact", Action.EXPORT) is Scope.OWN
    assert both.scope("contact", Action.DELETE) is Scope.NONE


@pytest.mark.promise("P15")
def test_nothing_can_be_done_to_what_is_not_seen():
    blind = Rights.of(create="all", change="all", delete="all", export="all", import_="all")
    assert all(blind.scope(*act) is Scope.NONE for act in every_act())
    near = Rights.of(see="own", change="all", export="team")
    assert near.scope("company", Action.CHANGE) is near.scope("company", Action.EXPORT) is Scope.OWN


@pytest.mark.promise("P15")
def test_a_role_that_sees_nothing_does_not_widen_another_by_adding_up():
    both = union([Rights.of(change="all"), Rights.of(see="own")])
    assert both.scope("contact", Action.CHANGE) is Scope.NONE


@pytest.mark.promise("P15")
@pytest.mark.parametrize(
    ("scope", "mine", "teams", "others", "nobodys"),
    [
        ("none", False, False, False, False),
        ("own", True, False, False, False),
        ("team", True, True, False, False),
        ("all", True, True, True, True),
    ],
)
def test_a_scope_reaches_records_by_their_owner(scope, mine, teams, others, nobodys):
    rights = Rights.of(see=scope).as_person(ANN, [ANN, BEN])
    reached = [rights.reaches("contact", Action.SEE, owner) for owner in (ANN, BEN, CLEO, None)]
    assert reached == [mine, teams, others, nobodys]


def _hiding(rule: FieldRule, **acts: str) -> Rights:
    plain = Rights.of(**acts)
    return Rights(plain.scopes, rules={"contact": {"phones": rule}})


@pytest.mark.promise("P15")
def test_a_field_is_hidden_only_if_every_role_hides_it():
    hiding, locking = _hiding(FieldRule.HIDDEN, see="all"), _hiding(FieldRule.READ_ONLY, see="all")
    assert union([hiding, hiding]).hidden("contact") == {"phones"}
    assert union([hiding, locking]).hidden("contact") == frozenset()
    assert union([hiding, locking]).unchangeable("contact") == {"phones"}
    assert union([hiding, Rights.of(see="own")]).unchangeable("contact") == frozenset()


@pytest.mark.promise("P15")
def test_a_role_that_does_not_show_the_records_does_not_uncover_a_field_either():
    assert union([_hiding(FieldRule.HIDDEN, see="all"), Rights.of(pages=[Permission.AUDIT_SEE])]).hidden("contact")


@pytest.mark.promise("P15")
def test_nobody_covers_more_than_they_have():
    own, team = Rights.of(see="own"), Rights.of(see="team")
    assert everything().covers(own) and team.covers(own) and not own.covers(team)
    assert not own.covers(Rights.of(pages=[Permission.AUDIT_SEE]))
    assert not _hiding(FieldRule.HIDDEN, see="all").covers(Rights.of(see="all"))
    assert _hiding(FieldRule.READ_ONLY, see="all").covers(_hiding(FieldRule.HIDDEN, see="all"))


@pytest.mark.promise("P15")
def test_within_a_limit_only_what_both_allow_is_left():
    seen = Rights.of(see="all", change="all", pages=[Permission.AUDIT_SEE]).within(
        _hiding(FieldRule.HIDDEN, see="team", export="all")
    )
    assert seen.scope("contact", Action.SEE) is Scope.TEAM
    assert seen.scope("contact", Action.CHANGE) is Scope.NONE
    assert seen.scope("contact", Action.EXPORT) is Scope.NONE
    assert seen.hidden("contact") == {"phones"}
    assert not seen.pages


def test_a_snapshot_reads_back_to_the_same_rights():
    rights = _hiding(FieldRule.HIDDEN, see="team", import_="own").as_person(ANN, [ANN, BEN])
    assert rights_from_text(rights.text).text == rights.text
    assert rights_from_text(rights.text).owners("contact", Action.SEE) == {ANN, BEN}


@pytest.mark.promise("P15")
def test_what_this_program_does_not_know_allows_nothing():
    kept = {
        "records": {"contact": {"see": "galaxy", "burn": "all"}, "deal": {"see": "all"}},
        "fields": {"contact": {"phones": "upside-down"}},
        "pages": ["moon:land"],
    }
    rights = Rights.from_json(kept)
    assert (dict(rights.scopes), rights.pages) == ({}, frozenset())
    assert rights.hidden("contact") == {"phones"}


@pytest.mark.promise("P15")
def test_no_rights_are_none():
    assert {permission for permission in every_permission() if NOTHING.can(permission)} == set(WAYS_IN)
