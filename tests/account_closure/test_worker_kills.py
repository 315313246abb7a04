"""A worker killed at any step of a closing: finally the same state, each mail once, each line of the audit once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from sqlalchemy import text

from provisioning.closing import advance_closings
from qikbiz.kernel import clock
from qikbiz.kernel.database import control_transaction, runtime
from tests.account_closure.conftest import Leaving

pytestmark = [pytest.mark.faults, pytest.mark.promise("P13")]
STEPS = ["asked", "accepted", "exported", "confirmed", "read_only", "reminded", "reminded"]


def advance_in_a_process(leaving: Leaving, fault: str) -> int:
    """A round in a process of its own; its status."""
    now = clock.now
    child = os.fork()
    if child == 0:
        try:
            os.environ["QIKBIZ_FAULT"] = fault
            clock.now = now
            runtime().after_fork()
            advance_closings(leaving.world.settings)
        finally:
            # Never on into the rest of the tests.
            os._exit(0)
    return os.waitpid(child, 0)[1]


def die_at(point: str, leaving: Leaving) -> None:
    status = advance_in_a_process(leaving, f"{point}=kill")
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"It went on past {point}."


def reach(leaving: Leaving, days: float) -> None:
    """Read-only for so many days, with every round done."""
    leaving.to("read_only")
    leaving.advance()
    for day in (23.1, 29.1):
        if days >= day:
            leaving.clock.move(days=23.1 if day == 23.1 else 6)
            leaving.advance()
    if days > 30:
        leaving.clock.move(days=1.1)


def test_killed_while_the_export_is_settled(leaving: Leaving, monkeypatch: pytest.MonkeyPatch) -> None:
    leaving.to("exporting")
    monkeypatch.setattr("qikbiz.transfer.exports.contributions._after_making", [])
    leaving.make_export()
    assert leaving.closing.state == "exporting"
    die_at("closing.before_settle", leaving)
    assert leaving.closing.state == "exporting"
    leaving.advance()
    leaving.advance()
    assert leaving.closing.state == "exported" and leaving.mails()["exported"] == 2
    assert leaving.audited().count("exported") == 1


def test_the_export_is_asked_for_again_when_the_request_died_between_two_databases(leaving: Leaving) -> None:
    from sqlalchemy import delete

    from qikbiz.kernel.database import tenant_transaction
    from qikbiz.transfer.exports.models import Export

    leaving.to("exporting")
    with tenant_transaction(leaving.tenant) as session:
        session.execute(delete(Export))
        session.execute(text("DELETE FROM jobs WHERE kind = 'exports.create'"))
    leaving.advance()
    leaving.make_export()
    leaving.advance()
    assert leaving.closing.state == "exported"


def test_the_customers_audit_is_completed_when_the_request_died_between_two_databases(
    leaving: Leaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qikbiz.trust.account_closure.events.update_tenant_audit", lambda _id: None)
    leaving.to("asked")
    assert leaving.audited() == []
    monkeypatch.undo()
    monkeypatch.setattr(clock, "now", leaving.clock.now)
    for _ in range(2):
        leaving.advance()
    assert leaving.audited() == ["asked"]


ON_THE_WAY = ("closing.locked", "closing.before_reminder", "closing.reminded")


@pytest.mark.parametrize("point", ON_THE_WAY)
def test_killed_on_the_way_to_the_erasure(leaving: Leaving, point: str) -> None:
    """In the first round, in the one that gives a week's notice, and in the one that gives a day's."""
    leaving.to("read_only")
    for days, reminders in ((0, 0), (23.1, 2), (6, 4)):
        leaving.clock.move(days=days)
        killed_once_it_goes_on(leaving, point, reminders)


@pytest.mark.parametrize("point", ON_THE_WAY)
def test_killed_in_a_first_round_that_comes_when_the_reminder_is_due(leaving: Leaving, point: str) -> None:
    leaving.to("read_only")
    leaving.clock.move(days=23.1)
    killed_once_it_goes_on(leaving, point, reminders=2)


def killed_once_it_goes_on(leaving: Leaving, point: str, reminders: int) -> None:
    die_at(point, leaving)
    leaving.advance()
    leaving.advance()
    assert leaving.closing.state == "read_only" and leaving.closing.locked_at is not None
    assert leaving.mails().get("reminder", 0) == reminders
    assert leaving.audited() == STEPS[: 5 + reminders // 2]


ERASING = (
    "closing.erasing",
    "tenant.erase.begun",
    "tenant.erase.counted",
    "tenant.erase.dropped",
    "tenant.erase.forgotten",
    "tenant.erase.finished",
)


@pytest.mark.parametrize("points", [ERASING, ("tenant.erase.dropped",)], ids=["at every step", "once all is dropped"])
def test_killed_while_erasing(leaving: Leaving, points: tuple[str, ...]) -> None:
    """Twice at the same step, and at the next: each round went on where the last was killed."""
    reach(leaving, 31)
    told = leaving.mails()
    assert told == {"asked": 2, "accepted": 2, "exported": 2, "read_only": 2, "reminder": 4}
    for point in points:
        die_at(point, leaving)
        # Begun once, and over once it is finished: there is no second time for these.
        if point not in ("closing.erasing", "tenant.erase.finished"):
            die_at(point, leaving)
    for _ in range(2):
        leaving.advance()
    assert leaving.closing.state == "erased" and leaving.record.state == "closed"
    assert leaving.mails() == {"certificate": 1}
    certificate = leaving.certificate
    assert certificate is not None and certificate.document["counts"]["rows"] > 20
    listed = leaving.world.settings.files / "erased-tenants" / f"{leaving.tenant.id}.json"
    assert listed.exists()


def test_killed_while_changes_are_allowed_again(leaving: Leaving) -> None:
    leaving.to("read_only")
    leaving.advance()
    leaving.post("/closing/cancellation")
    die_at("closing.unlocked", leaving)
    assert leaving.closing.state == "reopening" and leaving.record.read_only_until is not None
    leaving.advance()
    leaving.advance()
    assert leaving.closing.state == "cancelled" and leaving.record.read_only_until is None
    assert leaving.mails()["cancelled"] == 2


def test_two_rounds_at_once_do_each_thing_once(leaving: Leaving) -> None:
    reach(leaving, 31)
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            try:
                runtime().after_fork()
                advance_closings(leaving.world.settings)
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    leaving.advance()
    assert leaving.closing.state == "erased" and leaving.mails() == {"certificate": 1}
    with control_transaction() as control:
        events = control.execute(
            text("SELECT count(*) FROM platform_audit_events WHERE tenant_id = :id AND action = 'tenant.erased'"),
            {"id": leaving.tenant.id},
        ).scalar_one()
    assert events == 1


def test_a_round_that_can_not_drive_one_closing_drives_the_others(
    leaving: Leaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    from provisioning import closing as closings
    from qikbiz.kernel.errors import Unavailable

    leaving.to("read_only")
    really: Callable[..., None] = closings.advance
    seen = []

    def sometimes(settings: object, closing_id: object) -> None:
        seen.append(closing_id)
        if len(seen) == 1:
            raise Unavailable("Redis is away.")
        really(settings, closing_id)

    monkeypatch.setattr(closings, "advance", sometimes)
    leaving.advance()
    leaving.advance()
    assert leaving.closing.locked_at is not None
