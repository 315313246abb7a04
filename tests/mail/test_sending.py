"""Delivering a mail: accepted, refused, deferred, answered too late."""

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from sqlalchemy import text, update

from config.settings import SettingsError
from qikbiz.jobs.models import PlatformJob
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.messaging.mail import actions, dev_outbox, smtp
from qikbiz.messaging.mail.addresses import BadAddress
from qikbiz.messaging.mail.models import Mail, PlatformMail
from tests.fixtures.ports import free_port
from tests.fixtures.servers import settings_for
from tests.fixtures.world import World
from tests.mail.conftest import FakeMailServer, MailHarness
from workers import run_job


@pytest.mark.usefixtures("smtp")
def test_a_mail_is_sent_once_in_text_and_html(mail_harness: MailHarness, mail_server: FakeMailServer) -> None:
    mail_id = mail_harness.write()
    assert mail_harness.deliver(mail_id) == "done"
    assert mail_harness.deliver(mail_id) == "not ours"
    assert len(mail_server.taken) == 1
    message = message_from_bytes(mail_server.taken[0].original_content or b"", policy=default)
    assert mail_server.taken[0].rcpt_tos == ["bob@example.com"]
    assert message["To"] == "Bob <bob@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"]
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert mail_harness.mail(mail_id).sent_at is not None


@pytest.mark.usefixtures("smtp")
def test_what_a_mail_says_is_sealed_before_and_gone_after(mail_harness: MailHarness) -> None:
    mail_id = mail_harness.write()
    assert "SECRET" not in str(mail_harness.mail(mail_id).values)
    mail_harness.deliver(mail_id)
    mail = mail_harness.mail(mail_id)
    assert (mail.state, mail.values, mail.subject) == ("sent", {}, "Reset your password")


def test_asking_twice_with_the_same_key_sends_one_mail(mail_harness: MailHarness) -> None:
    assert mail_harness.write() == mail_harness.write()


@pytest.mark.usefixtures("smtp")
def test_a_server_that_puts_us_off_is_tried_again_later(mail_harness: MailHarness, mail_server: FakeMailServer) -> None:
    mail_server.message = "451 Busy, bob@example.com"
    mail_id = mail_harness.write()
    assert mail_harness.deliver(mail_id) == "put off"
    mail = mail_harness.mail(mail_id)
    assert (mail.state, mail.problem) == ("pending", "The mail server asked to try again later (451).")
    assert mail.next_at > datetime.now(UTC)
    mail_server.message = "250 Taken"
    assert mail_harness.deliver(mail_id) == "done"
    assert (mail_harness.state(mail_id), mail_harness.mail(mail_id).attempt) == ("sent", 2)


@pytest.mark.usefixtures("smtp")
@pytest.mark.parametrize("point", ["recipient", "message"])
def test_a_refusal_for_good_is_not_repeated(mail_harness: MailHarness, mail_server: FakeMailServer, point: str) -> None:
    setattr(mail_server, point, "550 No such user bob@example.com")
    mail_id = mail_harness.write()
    assert mail_harness.deliver(mail_id) == "done"
    mail = mail_harness.mail(mail_id)
    assert (mail.state, mail.problem) == ("failed", f"The mail server refused the {point} (550).")
    assert mail_harness.deliver(mail_id) == "not ours"
    assert mail_harness.mail(mail_id).values == {}


def test_a_server_that_is_away_is_tried_again(
    mail_harness: MailHarness, served_by: Callable[[str | None], None]
) -> None:
    served_by("smtp://127.0.0.1:1")
    mail_id = mail_harness.write()
    assert mail_harness.deliver(mail_id) == "put off"
    assert mail_harness.mail(mail_id).problem == "The mail server can't be reached."


def test_a_server_that_hangs_is_cut_off(
    mail_harness: MailHarness, served_by: Callable[[str | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "AGREE_SECONDS", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        served_by(f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        mail_id = mail_harness.write()
        assert mail_harness.deliver(mail_id) == "put off"
    assert mail_harness.state(mail_id) == "pending"


@pytest.mark.usefixtures("smtp")
@pytest.mark.parametrize(
    ("category", "began", "state", "copies"),
    [
        ("security", None, "sent", 1),
        ("notification", None, "sent", 1),
        ("security", "now()", "unknown", 0),
        ("notification", "now()", "unknown", 0),
    ],
)
def test_a_worker_that_died_while_sending_is_followed_up_only_if_the_server_had_nothing_yet(
    mail_harness: MailHarness, mail_server: FakeMailServer, category: str, began: str | None, state: str, copies: int
) -> None:
    mail_id = mail_harness.write() if category == "security" else mail_harness.notice()
    with tenant_transaction(mail_harness.world.acme.tenant) as session:
        given = {"state": "sending", "data_began_at": text(began) if began else None}
        session.execute(update(Mail).where(Mail.id == mail_id).values(given))
    assert mail_harness.deliver(mail_id) == "done"
    assert (mail_harness.state(mail_id), len(mail_server.taken)) == (state, copies)


def test_after_five_days_a_mail_is_given_up(mail_harness: MailHarness, served_by: Callable[[str | None], None]) -> None:
    served_by("smtp://127.0.0.1:1")
    mail_id = mail_harness.write()
    with tenant_transaction(mail_harness.world.acme.tenant) as session:
        long_ago = datetime.now(UTC) - timedelta(days=5)
        session.execute(update(Mail).where(Mail.id == mail_id).values(created_at=long_ago))
    assert mail_harness.deliver(mail_id) == "done"
    assert mail_harness.state(mail_id) == "failed"


def test_a_mail_that_lacks_a_value_is_failed_and_not_sent_with_a_hole(mail_harness: MailHarness) -> None:
    mail_id = mail_harness.write(values={"name": "Bob"})
    assert mail_harness.deliver(mail_id) == "done"
    assert mail_harness.state(mail_id) == "failed"


HOSTILE = [
    "Bob\r\nBcc: x@y.example",
    "Bob\nSubject: won",
    "B" * 500,
    "\u202eecila\u202c",
    "Bob 🎉 Müller",
    '"Bob" <x@y.example>, Eve',
    "\x00\x1b[2J",
]


@pytest.mark.usefixtures("smtp")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_reaches_one_recipient_and_adds_no_header(
    mail_harness: MailHarness, mail_server: FakeMailServer, name: str
) -> None:
    values = {"name": name, "organisation": name, "invited_by": name, "url": "https://a.example/x", "days": 7}
    mail_id = mail_harness.write("invitation", to_name=name, values=values)
    assert mail_harness.deliver(mail_id) == "done"
    message = message_from_bytes(mail_server.taken[0].original_content or b"", policy=default)
    assert mail_server.taken[0].rcpt_tos == ["bob@example.com"]
    assert [address.addr_spec for address in message["To"].addresses] == ["bob@example.com"]
    assert message["Bcc"] is None
    assert message.get_all("Subject") == [message["Subject"]]
    assert str(message["Subject"]).startswith("Invitation to ")
    assert len(str(message["Subject"])) <= 150
    assert "\u202e" not in str(message["To"])


@pytest.mark.parametrize(
    "address",
    [
        "",
        "bob",
        "bob@",
        "bob@x.example\r\nBcc: e@x.example",
        "a@b.example, c@d.example",
        "<a@b.example>",
        "a b@c.example",
    ],
)
def test_what_is_no_single_address_is_refused(mail_harness: MailHarness, address: str) -> None:
    with pytest.raises(BadAddress):
        mail_harness.write(to_address=address)


def test_a_server_without_tls_gets_nothing_when_tls_is_asked_for(
    mail_harness: MailHarness, mail_server: FakeMailServer, port: int, served_by: Callable[[str | None], None]
) -> None:
    for scheme in ("smtp+starttls", "smtps"):
        served_by(f"{scheme}://user:secret@127.0.0.1:{port}")
        mail_id = mail_harness.write(dedupe_key=scheme)
        assert mail_harness.deliver(mail_id) == "put off"
        assert mail_harness.mail(mail_id).problem == "The mail server can't be reached."
    assert mail_server.taken == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_server_that_wants_a_login_is_given_it(
    mail_harness: MailHarness, served_by: Callable[[str | None], None], mail_server: FakeMailServer
) -> None:
    def check(_server: object, _session: object, _envelope: object, _mechanism: str, given: object) -> AuthResult:
        assert isinstance(given, LoginPassword)
        return AuthResult(success=(given.login, given.password) == (b"qik biz", b"p@ss"), handled=False)

    controller = Controller(
        mail_server,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=check,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    try:
        served_by(f"smtp://qik%20biz:wrong@127.0.0.1:{controller.port}")
        mail_id = mail_harness.write()
        assert mail_harness.deliver(mail_id) == "put off"
        assert mail_harness.mail(mail_id).problem == "The mail server did not accept our credentials (535)."
        served_by(f"smtp://qik%20biz:p%40ss@127.0.0.1:{controller.port}")
        assert mail_harness.deliver(mail_id) == "done"
    finally:
        controller.stop()
    assert len(mail_server.taken) == 1


@pytest.mark.parametrize("url", ["http://mail.example", "mail.example:25", "smtp://"])
def test_an_address_that_is_no_mail_server_is_refused_at_start(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="QIKBIZ_SMTP_URL"):
        settings_for(tmp_path, QIKBIZ_SMTP_URL=url)


@pytest.mark.usefixtures("smtp")
def test_a_mail_of_the_platform_goes_the_same_way(mail_harness: MailHarness, mail_server: FakeMailServer) -> None:
    with control_transaction() as session:
        values = {"name": "Olivia", "invited_by": "", "url": "https://console.example/i/1", "days": 7}
        mail_id = actions.send_platform(
            "staff_invitation", to_address="o@example.com", values=values, dedupe_key="staff"
        ).id
        job_id = session.query(PlatformJob.id).filter(PlatformJob.kind == "mail.send_platform").scalar()
    assert run_job.perform(None, job_id) == "done"
    with control_transaction() as session:
        assert session.get_one(PlatformMail, mail_id).state == "sent"
    assert len(mail_server.taken) == 1


def test_without_a_server_mails_are_kept_in_a_folder(world: World, mail_harness: MailHarness) -> None:
    mail_id = mail_harness.write()
    assert mail_harness.deliver(mail_id) == "done"
    assert mail_harness.state(mail_id) == "sent"
    folder = world.settings.mail_sink
    kept = dev_outbox.read(folder, mail_id)
    assert kept is not None
    assert "https://acme.example/p/SECRET" in kept.text
    assert mail_id in [mail.id for mail in dev_outbox.newest(folder)]
    assert dev_outbox.newest(folder, "nobody") == []
    assert [path.suffix for path in folder.iterdir() if path.name.startswith(".")] == []
    assert threading.active_count() < 50
