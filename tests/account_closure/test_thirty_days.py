"""P13: the thirty days can't be made shorter by the program, its rows, its login, or a clock that is set."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from json import dumps
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text

from provisioning.erase_tenant import close_what_came_back, erase_due_tenants, erase_tenant
from provisioning.servers import connect_to_control
from qikbiz.kernel import clock
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.errors import Conflict
from tests.account_closure.conftest import Leaving
from tests.fixtures.world import World

pytestmark = pytest.mark.promise("P13")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO notices.retrievals VALUES (gen_random_uuid(), gen_random_uuid(), now() - interval '40 days', 30)",
        "UPDATE notices.retrievals SET begun_at = now() - interval '40 days'",
        "UPDATE notices.retrievals SET days = 1",
        "DELETE FROM notices.retrieval_events",
        "INSERT INTO notices.retrieval_events SELECT closing, '2020-01-01', 'warned' FROM notices.retrievals",
        "TRUNCATE notices.retrievals CASCADE",
        "ALTER TABLE notices.retrievals DROP CONSTRAINT thirty_to_ninety_days",
        "CREATE OR REPLACE FUNCTION notices.may_erase(uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "SELECT notices.begin_retrieval(gen_random_uuid(), gen_random_uuid(), 29)",
        "SELECT notices.begin_retrieval(gen_random_uuid(), gen_random_uuid(), NULL)",
    ],
)
def test_the_login_that_serves_pages_can_not(world: World, statement: str) -> None:
    with (
        connect_to_control(world.settings) as control,
        pytest.raises(psycopg.Error) as refused,
        control.transaction(),
    ):
        control.execute(statement.encode())
    assert refused.value.sqlstate in ("42501", "QB001"), "refused, not only wrong"


def test_rows_that_are_dated_back_get_nobody_erased(leaving: Leaving) -> None:
    leaving.to("read_only")
    leaving.advance()
    with control_transaction() as control:
        control.execute(
            text(
                "UPDATE closings SET read_only_at = now() - interval '40 days', "
                "erase_after = now() - interval '2 days', week_told_at = now() - interval '9 days', "
                "day_told_at = now() - interval '3 days' WHERE id = :id"
            ),
            {"id": leaving.closing.id},
        )
    leaving.advance()
    assert leaving.closing.state == "read_only" and leaving.record.version, "the notary says that the time runs on"
    with control_transaction() as control:
        closed = "UPDATE tenants SET state = 'closed' WHERE id = :id"
        control.execute(text(closed), {"id": leaving.tenant.id})
        control.execute(text("UPDATE closings SET state = 'erasing' WHERE id = :id"), {"id": leaving.closing.id})
    with pytest.raises(Conflict, match="was used"):
        erase_tenant(leaving.world.settings, leaving.tenant.id, now=True)
    assert leaving.tenant.slug not in erase_due_tenants(leaving.world.settings)


def test_a_server_whose_clock_is_set_ahead_erases_nobody(leaving: Leaving, monkeypatch: pytest.MonkeyPatch) -> None:
    leaving.to("read_only")
    ahead = [timedelta(0)]
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + ahead[0])
    for days in (24, 30, 32, 40):
        ahead[0] = timedelta(days=days)
        leaving.advance()
    assert leaving.closing.state == "read_only" and leaving.record.version


def test_more_time_is_kept_by_the_notary_and_never_taken_back(leaving: Leaving) -> None:
    closing = leaving.to("read_only")
    assert closing.erase_after is not None
    later = closing.erase_after + timedelta(days=20)
    olivia = leaving.log_in(leaving.world.olivia)
    form = {"until": f"{later:%Y-%m-%d}", "reason": "Their lawyer asked"}
    assert olivia.post(f"/closings/{closing.id}/extension", form).status_code == 303
    with connect_to_control(leaving.world.settings) as control:
        row = control.execute("SELECT notices.kept_until(%s)", (closing.id,)).fetchone()
        assert row == (leaving.closing.erase_after,)
        with pytest.raises(psycopg.Error, match="never shortened"):
            control.execute("SELECT notices.extend_retrieval(%s, now())", (closing.id,))


def test_a_closing_that_was_cancelled_counts_for_nothing_later(leaving: Leaving) -> None:
    leaving.to("read_only")
    leaving.advance()
    assert leaving.browser().post("/closing/cancellation").status_code == 303
    leaving.advance()
    leaving.clock.move(days=60)
    leaving.to("read_only")
    leaving.advance()
    with connect_to_control(leaving.world.settings) as control:
        row = control.execute("SELECT notices.may_erase(%s)", (leaving.tenant.id,)).fetchone()
    assert row == (False,) and leaving.closing.state == "read_only"


def test_a_row_or_a_file_that_only_says_so_gets_nobody_erased(leaving: Leaving) -> None:
    """What was erased is erased again after a restore, without notice: so that list is believed by signature alone."""
    leaving.browser()
    settings, tenant = leaving.world.settings, leaving.tenant
    document = {"number": "AAAA-AAAA-AAAA-AAAA", "organisation": str(tenant.id)}
    forged = {"issued_at": "2026-01-01T00:00:00+00:00", "document": document, "key_id": 1, "signature": "AAAA"}
    of_another = settings.keys.sign("erasure-begun", uuid4().bytes)
    borrowed = {"key_id": of_another[0], "signature": b64encode(of_another[1]).decode()}
    file = settings.files / "erased-tenants" / f"{tenant.id}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    with control_transaction() as control:
        control.execute(text("INSERT INTO erased_tenants VALUES (:id, now())"), {"id": tenant.id})
    try:
        for content in ("{}", "[]", "", dumps(forged), dumps(borrowed)):
            file.write_text(content, encoding="utf-8")
            assert close_what_came_back(settings) == [], content
            assert erase_due_tenants(settings) == [], content
    finally:
        file.unlink()
    assert leaving.record.state == "active"
