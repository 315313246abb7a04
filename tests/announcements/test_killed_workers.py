"""An announcement whose worker is killed half-way goes on, and no user gets it twice (P17).

In a file of its own: the sweeper looks after every tenant that stands, and the tests of sending make many.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.announcements.conftest import AnnouncementHarness, FakeMailServer
from tests.announcements.test_sending_announcements import recipients
from tests.fixtures.workers import WorkerHarness, eventually

pytestmark = [pytest.mark.promise("P17"), pytest.mark.usefixtures("smtp")]


@pytest.mark.faults
@pytest.mark.parametrize("point", ["announcements.tenant_asked", "announcements.written", "mail.after_server"])
def test_a_worker_killed_half_way_never_doubles(
    harness: AnnouncementHarness,
    mail_server: FakeMailServer,
    port: int,
    worker_harness: WorkerHarness,
    tmp_path: Path,
    point: str,
) -> None:
    worker_harness.sweeper()
    given = {"QIKBIZ_SMTP_URL": f"smtp://127.0.0.1:{port}", "QIKBIZ_FAULT": f"{point}=kill@1"}
    worker_harness.worker("mail", **given, QIKBIZ_FAULT_DIR=str(tmp_path))
    found = harness.draft()
    harness.send(found)
    eventually(lambda: harness.totals(found).recipients == 6 and harness.totals(found).waiting == 0, 180)
    got = [address for address in recipients(mail_server) if address in harness.addresses]
    assert len(got) == len(set(got))
    # A mail whose worker was killed between the server's answer and our record is not sent again, but it was accepted.
    assert set(got) == harness.addresses
