"""How long the audit is kept: set by the organisation, cut off by the schema's owner, and still whole afterwards."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from provisioning.audit_retention import prune_audit, prune_audits
from provisioning.servers import Connection
from qikbiz.audit import verification
from qikbiz.audit.models import AuditEvent
from qikbiz.audit.verification import check_tenant
from qikbiz.audit.verify import MEMBER, verify
from qikbiz.identity.accounts import lifetimes
from qikbiz.kernel import clock
from qikbiz.kernel.database import control_transaction, tenant_transaction
from tests.audit.test_audit_file import made_by
from tests.audit.test_chain import assert_whole, events_of
from tests.fixtures.world import Organisation, World

pytestmark = pytest.mark.promise("P6")


def keep(organisation: Organisation, months: str, name: str = "alice") -> Any:
    return organisation.browser(name).post("/audit/keeping", {"months": months})


def later(months: int) -> Any:
    return clock.now() + timedelta(days=31 * months)


def test_alice_decides_how_long_and_the_audit_says_so(organisation: Organisation) -> None:
    assert 'value="" selected' in organisation.browser("alice").get("/audit/keeping").text
    assert keep(organisation, "18").status_code == 303
    assert 'value="18" selected' in organisation.browser("alice").get("/audit/keeping").text
    assert keep(organisation, "18").status_code == 303
    assert keep(organisation, "").status_code == 303
    told = [event.details["changes"] for event in events_of(organisation) if event.action == "audit.keeping_set"]
    assert told == [{"kept": ["forever", "for 18 months"]}, {"kept": ["for 18 months", "forever"]}]


RUBBISH = ("1", "11", "-12", "13", "zwölf", "12; DROP")


def test_nothing_shorter_than_a_year_and_no_rubbish(organisation: Organisation, subtests: pytest.Subtests) -> None:
    for months in RUBBISH:
        with subtests.test(months):
            assert keep(organisation, months).status_code == 400


def test_the_database_refuses_less_than_a_year_whatever_the_program_says(organisation: Organisation) -> None:
    with pytest.raises(DBAPIError, match="ck_audit_keeping_months"), organisation.work() as session:
        session.execute(text("INSERT INTO audit_keeping (id, months) VALUES (1, 11)"))


def test_others_neither_see_nor_set_it(organisation: Organisation, client_for: Any) -> None:
    for name in ("ben", "bob"):
        assert organisation.browser(name).get("/audit/keeping").status_code == 403
        assert keep(organisation, "12", name).status_code == 403
    client_for("mallory").post("/audit/keeping", {"months": "12"})
    assert 'value="" selected' in organisation.browser("alice").get("/audit/keeping").text
    client_for("mallory").post("/audit/keeping", {"months": ""})


def test_setting_it_asks_for_a_password_given_lately(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = organisation.browser("alice")
    token = alice.csrf_token()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + lifetimes.FRESH + timedelta(seconds=5))
    assert alice.post("/audit/keeping", {"months": "12", "csrf_token": token}).status_code != 303 or "confirm" in (
        alice.post("/audit/keeping", {"months": "12", "csrf_token": token}).location
    )
    assert not [event for event in events_of(organisation) if event.action == "audit.keeping_set"]


def test_for_ever_means_that_nothing_goes(organisation: Organisation, world: World) -> None:
    organisation.add_contact(first_name="Ann")
    before = len(events_of(organisation))
    assert prune_audit(world.settings, organisation.tenant, at=later(1000)) == 0
    assert len(events_of(organisation)) == before


def test_what_is_older_goes_and_what_is_left_is_whole(
    organisation: Organisation, world: World, owner_connection: Connection, tmp_path: Path
) -> None:
    for number in range(6):
        organisation.add_company(f"Company {number}")
    keep(organisation, "12")
    assert prune_audit(world.settings, organisation.tenant) == 0
    newest = events_of(organisation)[-1].seq
    assert prune_audit(world.settings, organisation.tenant, at=later(13)) == newest - 1
    events = events_of(organisation)
    assert [event.action for event in events] == ["audit.keeping_set", "audit.trimmed"]
    assert_whole(events, first=newest)
    assert events[-1].details["seq"] == newest - 1 and events[-1].actor_kind == "system"
    assert check_tenant(organisation.tenant) == ""
    organisation.add_contact(first_name="Ann")
    file = made_by(organisation, tmp_path)
    assert verify(file).fault == ""
    lines = [json.loads(line) for line in zipfile.ZipFile(file).read(MEMBER).decode().splitlines()]
    assert lines[1]["seq"] == newest
    # Trimmed once more, the newer entry records the cut.
    assert prune_audit(world.settings, organisation.tenant, at=later(14)) > 2
    assert verify(made_by(organisation, tmp_path)).fault == ""
    assert check_tenant(organisation.tenant) == ""


def test_the_daily_round_trims_only_those_who_want_it(organisation: Organisation, world: World) -> None:
    organisation.add_contact(first_name="Ann")
    keep(organisation, "12")
    with organisation.work() as session:
        before = session.scalars(select(AuditEvent.id)).all()
    assert prune_audits(world.settings) == 0
    assert [event.id for event in events_of(organisation)] == sorted(before)


# The schema's owner can change rows. Each of these is found within the hour.
REWRITINGS = {
    "a changed subject": "UPDATE {s}.audit_events SET subject = 'Nobody' WHERE seq = 3",
    "a changed actor": "UPDATE {s}.audit_events SET actor_name = 'Nobody' WHERE seq = 3",
    "a removed event": "DELETE FROM {s}.audit_events WHERE seq = 3",
    "a removed beginning": "DELETE FROM {s}.audit_events WHERE seq <= 3",
    "a removed end": "DELETE FROM {s}.audit_events WHERE seq = (SELECT max(seq) FROM {s}.audit_events)",
    "everything removed": "DELETE FROM {s}.audit_events",
    "erased without saying so": "UPDATE {s}.audit_events SET salt = NULL WHERE seq = 3",
}


@pytest.mark.parametrize("what", REWRITINGS)
@pytest.mark.parametrize("is_known", [True, False], ids=["looked at before", "never looked at"])
def test_a_rewriting_by_the_owner_is_found(
    organisation: Organisation, owner_connection: Connection, what: str, *, is_known: bool
) -> None:
    for number in range(6):
        organisation.add_company(f"Company {number}")
    if is_known:
        assert check_tenant(organisation.tenant) == ""
    owner_connection.execute(REWRITINGS[what].format(s=organisation.tenant.schema).encode())
    problem = check_tenant(organisation.tenant)
    if not is_known and what in ("a removed end", "everything removed"):
        assert problem == ""  # the chain alone can't show this: that is what the anchors are for
    else:
        assert problem
        with control_transaction() as session:
            question = text("SELECT count(*) FROM platform_audit_events WHERE tenant_id = :t AND action = :a")
            assert session.execute(question, {"t": organisation.tenant.id, "a": "audit.found_broken"}).scalar_one() == 1
        assert check_tenant(organisation.tenant) == problem


def test_a_long_chain_is_read_again_piece_by_piece(
    organisation: Organisation, owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "EVENTS_REREAD", 4)
    monkeypatch.setattr(verification, "EVENTS_A_ROUND", 5)
    for number in range(11):
        organisation.add_company(f"Company {number}")
    assert [check_tenant(organisation.tenant) for _ in range(9)] == [""] * 9
    owner_connection.execute(
        f"UPDATE {organisation.tenant.schema}.audit_events SET subject = '' WHERE seq = 7".encode()
    )
    assert "Entry 7 was changed." in [check_tenant(organisation.tenant) for _ in range(4)]


def test_a_chain_made_anew_from_the_beginning_is_found_by_its_anchor(
    organisation: Organisation, owner_connection: Connection, world: World
) -> None:
    for number in range(3):
        organisation.add_company(f"Company {number}")
    assert check_tenant(organisation.tenant) == ""
    known = len(events_of(organisation))
    owner_connection.execute(f"DELETE FROM {organisation.tenant.schema}.audit_events".encode())
    for number in range(known + 2):
        organisation.add_company(f"Other {number}")
    with tenant_transaction(organisation.tenant) as session:
        assert_whole(list(session.scalars(select(AuditEvent).order_by(AuditEvent.seq))))
    assert "rewritten" in check_tenant(organisation.tenant)


def test_the_console_and_the_doctor_show_a_mismatch(
    organisation: Organisation, owner_connection: Connection, client_for: Any, world: World
) -> None:
    from provisioning.doctor import databases

    organisation.add_company("Company")
    assert check_tenant(organisation.tenant) == ""
    page = f"/tenants/{organisation.tenant.slug}"
    assert "Verified through entry" in client_for("olivia").get(page).text
    owner_connection.execute(f"DELETE FROM {organisation.tenant.schema}.audit_events".encode())
    assert check_tenant(organisation.tenant)
    assert "The audit was altered" in client_for("olivia").get(page).text
    (found,) = databases.audits(world.settings)
    assert (not found.ok and "The whole audit is gone" in found.detail) or "were altered" in found.detail
    with control_transaction() as session:
        session.execute(text("DELETE FROM audit_checks WHERE problem <> ''"))
    (found,) = databases.audits(world.settings)
    assert found.ok
