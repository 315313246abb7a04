"""An announcement whose worker is killed half-way goes on, and nobody gets it twice (P17).

In a file of its own: the sweeper looks after every tenant that stands, and the tests of sending make many.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.announcements.conftest import Mood, Office
from tests.announcements.test_sending_announcements import recipients
from tests.fixtures.workers import Workshop, eventually

pytestmark = [pytest.mark.promise("P17"), pytest.mark.usefixtures("smtp")]


@pytest.mark.faults
@pytest.mark.parametrize("point", ["announcements.tenant_asked", "announcements.written", "mail.after_server"])
def test_a_worker_killed_half_way_never_doubles(
    office: Office, mood: Mood, port: int, workshop: Workshop, tmp_path: Path, point: str
) -> None:
    workshop.sweeper()
    given = {"QIKBIZ_SMTP_URL": f"smtp://127.0.0.1:{port}", "QIKBIZ_FAULT": f"{point}=kill@1"}
    workshop.worker("mail", **given, QIKBIZ_FAULT_DIR=str(tmp_path))
    found = office.draft()
    office.send(found)
    eventually(lambda: office.totals(found).recipients == 6 and office.totals(found).waiting == 0, 180)
    got = [address for address in recipients(mood) if address in office.addresses]
    assert len(got) == len(set(got))
    # What was killed between the server's answer and our note is not sent again, but it was taken.
    assert set(got) == office.addresses
