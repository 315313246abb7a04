"""Each event of the audit is chained to the one before: no gap, no fork, also with failures and parallel writes.

The check here is written from docs/audit-format.md alone, not from the code that makes the chain.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from provisioning.application import working_application
from qikbiz.audit.actions import record, record_change, record_on_platform
from qikbiz.audit.models import AuditEvent, PlatformAuditEvent
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import control_transaction, tenant_transaction
from tenants.control import new_id
from tests.fixtures.world import Organisation, World

NAMES = ("id", "actor_kind", "actor_id", "actor_name", "action", "record_type", "record_id", "request_id")
PLATFORM_NAMES = ("id", "actor_kind", "actor_id", "actor_name", "action", "tenant_id", "request_id")


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def assert_whole(events: Sequence[Any], names: tuple[str, ...] = NAMES, first: int = 1) -> None:
    """As docs/audit-format.md says that it must be."""
    previous = bytes(32) if first == 1 else events[0].previous_hash
    for seq, event in enumerate(events, first):
        assert event.seq == seq
        assert event.previous_hash == previous
        private = canonical({"subject": event.subject, "details": event.details})
        # Without a salt its contents were erased with a person.
        assert event.salt is None or event.private_hash == hashlib.sha256(event.salt + private).digest()
        plain = {name: value if isinstance(value := getattr(event, name), str | None) else str(value) for name in names}
        frame = plain | {
            "format": 1,
            "chain": str(event.chain),
            "seq": seq,
            "previous": previous.hex(),
            "at": f"{event.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            "private": event.private_hash.hex(),
        }
        assert event.hash == hashlib.sha256(canonical(frame)).digest()
        previous = event.hash


def events_of(organisation: Organisation) -> list[AuditEvent]:
    with tenant_transaction(organisation.tenant) as session:
        return list(session.scalars(select(AuditEvent).order_by(AuditEvent.seq)))


def write_beside(organisation: Organisation, world: World) -> None:
    with working_application(world.settings), tenant_transaction(organisation.tenant):
        record("test.quick")


@pytest.mark.promise("P6")
def test_everything_done_at_pages_is_in_the_chain(organisation: Organisation) -> None:
    ann = organisation.add_contact(first_name="Ann", last_name="Lée 🙂", email="ann@example.com")
    organisation.browser("ben").post(f"/contacts/{ann}/fields/city", {"version": "1", "was": "", "city": "Graz"})
    organisation.browser("bob").get(f"/contacts/{ann}")
    events = events_of(organisation)
    assert_whole(events)
    assert {event.chain for event in events} == {organisation.tenant.id}
    assert {"contact.created", "contact.changed", "contact.read", "login.opened"} <= {e.action for e in events}


@pytest.mark.promise("P6")
def test_each_event_has_a_salt_of_its_own(organisation: Organisation) -> None:
    with organisation.work():
        for _ in range(50):
            record("test.done", subject="the same")
    salts = [event.salt for event in events_of(organisation)]
    assert len(set(salts)) == len(salts) and all(salt and len(salt) == 16 for salt in salts)


@pytest.mark.promise("P6")
def test_work_that_is_rolled_back_leaves_no_gap(organisation: Organisation) -> None:
    with pytest.raises(ZeroDivisionError), organisation.work():
        record("test.lost")
        raise ZeroDivisionError
    with organisation.work():
        record("test.kept")
    events = events_of(organisation)
    assert_whole(events)
    assert [e.action for e in events if e.action.startswith("test")] == ["test.kept"]


@pytest.mark.promise("P6")
def test_a_savepoint_that_is_rolled_back_takes_its_events_along(organisation: Organisation) -> None:
    with organisation.work() as session:
        record("test.first")
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            record("test.lost")
            with session.begin_nested():
                record("test.lost_too")
            raise ZeroDivisionError
        with session.begin_nested():
            record("test.second")
    events = events_of(organisation)
    assert_whole(events)
    assert [e.action for e in events if e.action.startswith("test")] == ["test.first", "test.second"]


@pytest.mark.promise("P6")
def test_an_event_after_a_savepoint_that_held_the_first_one_is_kept(organisation: Organisation) -> None:
    with organisation.work() as session:
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            record("test.lost")
            raise ZeroDivisionError
        record("test.kept")
    assert_whole(events_of(organisation))
    assert [e.action for e in events_of(organisation) if e.action.startswith("test")] == ["test.kept"]


@pytest.mark.promise("P6")
def test_many_at_once_make_one_line(organisation: Organisation, world: World) -> None:
    threads, each, failures = 8, 25, []

    def write(number: int) -> None:
        try:
            with working_application(world.settings):
                for n in range(each):
                    with (
                        tenant_transaction(organisation.tenant, lock_timeout_ms=30_000) as session,
                        acting_as(Actor("user")),
                    ):
                        record_change("contact", new_id(), 1, "created", {"n": [None, n]}, subject=f"{number}-{n}")
                        if n % 5 == 0:
                            record("test.second", details={"n": n})
                        if n % 7 == 0:
                            session.rollback()
        except Exception as error:  # passed to the thread that asserts
            failures.append(error)

    started = [threading.Thread(target=write, args=(number,)) for number in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    assert failures == []
    events = events_of(organisation)
    assert_whole(events)
    kept = [n for n in range(0, each, 5) if n % 7]
    assert len([e for e in events if e.action == "test.second"]) == threads * len(kept)


@pytest.mark.promise("P6")
def test_numbers_and_keys_that_json_writes_otherwise_come_back_the_same(organisation: Organisation) -> None:
    numbers = {"float": 0.1, "big": 10**30, "tiny": 1e-320, "whole": 1.0, "list": (1, -2)}
    odd = numbers | {7: "seven", "none": None, "é": '\x7f\\"', "\U0001f642": "\uff5e"}
    with organisation.work():
        record("test.odd", subject="e\u0301\u2028", details={"odd": odd})
    assert_whole(events_of(organisation))


@pytest.mark.promise("P6")
def test_the_time_is_that_of_the_commit_not_of_the_beginning(organisation: Organisation, world: World) -> None:
    """So that the order of times is the order of the chain, however long a transaction took."""
    with organisation.work() as session:
        began = session.execute(text("SELECT now()")).scalar_one()
        beside = threading.Thread(target=write_beside, args=(organisation, world))
        beside.start()
        beside.join()
        record("test.slow")
    events = events_of(organisation)
    assert_whole(events)
    moments = [event.at for event in events]
    assert moments == sorted(moments)
    slow = next(event for event in events if event.action == "test.slow")
    assert slow.at > next(event for event in events if event.action == "test.quick").at > began


@pytest.mark.promise("P6")
def test_a_fork_is_refused_by_the_database(organisation: Organisation) -> None:
    last = events_of(organisation)[-1]
    forged = {name: getattr(last, name) for name in ("chain", "seq", "previous_hash", "private_hash", "salt", "hash")}
    with pytest.raises(IntegrityError), organisation.work() as session:
        session.execute(insert(AuditEvent).values(**forged, actor_kind="system", action="test.forged"))


@pytest.mark.promise("P6")
@pytest.mark.parametrize("column", ["subject", "details", "salt", "hash", "actor_name"])
def test_the_tenants_role_can_not_rewrite_a_link(organisation: Organisation, column: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), organisation.work() as session:
        session.execute(text(f"UPDATE audit_events SET {column} = NULL WHERE seq = 1"))


def test_the_platforms_audit_is_chained_too(world: World, working: object) -> None:
    with control_transaction():
        record_on_platform("test.outer", subject="1")
        with control_transaction():
            record_on_platform("test.inner", tenant_id=world.acme.tenant.id, details={"n": 2})
    with control_transaction() as session:
        events = list(session.scalars(select(PlatformAuditEvent).order_by(PlatformAuditEvent.seq)))
    assert_whole(events, PLATFORM_NAMES)
    assert [event.action for event in events[-2:]] == ["test.outer", "test.inner"]
