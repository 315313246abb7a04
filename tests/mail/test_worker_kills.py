"""A mail worker that is really killed around the server's answer: a mail arrives once at most."""

from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from tests.fixtures.workers import WorkerHarness, eventually
from tests.mail.conftest import FakeMailServer, MailHarness

pytestmark = pytest.mark.faults


@pytest.mark.parametrize(
    ("point", "category", "state", "copies"),
    [
        ("mail.before_server", "security", "sent", 1),
        ("mail.data_began", "notification", "unknown", 0),
        ("mail.after_server", "security", "unknown", 1),
    ],
)
def test_a_killed_sender_leaves_its_mail_once_at_most(
    mail_harness: MailHarness,
    mail_server: FakeMailServer,
    port: int,
    worker_harness: WorkerHarness,
    tmp_path: Path,
    point: str,
    category: str,
    state: str,
    copies: int,
) -> None:
    worker_harness.sweeper()
    given = {"QIKBIZ_SMTP_URL": f"smtp://127.0.0.1:{port}", "QIKBIZ_FAULT": f"{point}=kill@1"}
    worker_harness.worker("mail", **given, QIKBIZ_FAULT_DIR=str(tmp_path))
    bob = mail_harness.world.bob.email
    mail_id = mail_harness.write(to_address=bob, to_name="") if category == "security" else mail_harness.notice()
    eventually(lambda: mail_harness.state(mail_id) == state, 60)
    # The worker also sends what other tenants of the same servers have waiting.
    messages = [message_from_bytes(one.original_content or b"", policy=default) for one in mail_server.taken]
    ours = [message["Message-ID"] for message in messages if bob in message["To"]]
    assert len(ours) == copies
    assert len(set(ours)) == min(copies, 1)


def test_a_mail_asked_for_in_work_that_fails_is_not_sent(mail_harness: MailHarness) -> None:
    with pytest.raises(RuntimeError):
        mail_harness.write_and_fail()
    assert mail_harness.count() == 0
