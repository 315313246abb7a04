"""A mail server that is slow, away or silent neither doubles nor loses a mail, and is not tried by mail after mail."""

import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select, text, update

from qikbiz.jobs.kinds import kinds
from qikbiz.jobs.models import Job
from qikbiz.kernel.database import runtime, tenant_transaction
from qikbiz.kernel.deadline import Deadline, OutOfTime, call_within
from qikbiz.kernel.job_kinds import JobKind
from qikbiz.messaging.mail import delivery, smtp
from qikbiz.messaging.mail.models import Mail
from tests.fixtures.circuit_breakers import forget_rests
from tests.mail.conftest import MailHarness
from tests.mail.scripted_server import ScriptedServer, scripted_server

BEFORE_DATA = ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA")


@pytest.fixture
def scripted(
    mail_harness: MailHarness, served_by: Callable[[str | None], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[ScriptedServer]:
    monkeypatch.setattr(smtp, "AGREE_SECONDS", 0.5)
    monkeypatch.setattr(smtp, "GIVE_SECONDS", 0.5)
    with scripted_server() as played:
        played.seconds = 1.0
        served_by(f"smtp://127.0.0.1:{played.port}")
        yield played


def test_a_mail_is_put_off_by_a_server_that_is_slow_before_it_has_the_message(
    mail_harness: MailHarness, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for point in BEFORE_DATA:
        for fault in ("slow", "dripping"):
            forget_rests(mail_harness.runtime)
            scripted.reset()
            scripted.seconds = 0.4
            setattr(scripted, fault, point)
            mail_id = mail_harness.write(dedupe_key=f"{fault} {point}")
            with monkeypatch.context() as hurried:
                hurried.setattr(smtp, "AGREE_SECONDS", 0.2)
                assert mail_harness.deliver(mail_id) == "put off", (fault, point)
            mail = mail_harness.mail(mail_id)
            assert (mail.state, mail.data_began_at) == ("pending", None), (fault, point)
            forget_rests(mail_harness.runtime)
            scripted.reset()
            assert mail_harness.deliver(mail_id) == "done"
            assert mail_harness.state(mail_id) == "sent"
    assert len(scripted.accepted) == 2 * len(BEFORE_DATA)


@pytest.mark.parametrize("category", ["security", "notification"])
def test_a_mail_whose_answer_is_lost_is_unknown_and_never_sent_again_by_itself(
    mail_harness: MailHarness, scripted: ScriptedServer, category: str
) -> None:
    for fault, point, copies in (("slow", "MESSAGE", 1), ("drops", "MESSAGE", 1), ("drops", "CONTENT", 0)):
        forget_rests(mail_harness.runtime)
        scripted.reset()
        scripted.accepted.clear()
        setattr(scripted, fault, point)
        key = f"{fault} {point}"
        mail_id = mail_harness.write(dedupe_key=key) if category == "security" else mail_harness.notice(dedupe_key=key)
        assert mail_harness.deliver(mail_id) == "done", key
        scripted.reset()
        assert mail_harness.deliver(mail_id) == "not ours"
        mail = mail_harness.mail(mail_id)
        assert (mail.state, mail.values, len(scripted.accepted)) == ("unknown", {}, copies), key
        assert "may have arrived" in mail.problem


def test_what_a_server_says_to_one_mail_does_not_hold_up_the_others(
    mail_harness: MailHarness, scripted: ScriptedServer
) -> None:
    for point, answer, state in (
        ("RCPT", b"451 Greylisted", "pending"),
        ("RCPT", b"550 Nobody here", "failed"),
        ("DATA", b"250 What?", "pending"),
        ("MESSAGE", b"451 Later", "pending"),
        ("MESSAGE", b"554 Spam", "failed"),
    ):
        scripted.answers = {point: answer}
        mail_id = mail_harness.write(dedupe_key=f"{point} {answer!r}")
        mail_harness.deliver(mail_id)
        mail = mail_harness.mail(mail_id)
        assert mail.state == state and (state == "failed" or mail.data_began_at is None), (point, answer)
        scripted.reset()
        other = mail_harness.write(dedupe_key=f"after {point} {answer!r}")
        assert (mail_harness.deliver(other), mail_harness.state(other)) == ("done", "sent"), (point, answer)


@pytest.mark.parametrize("fault", [("answers", {"CONNECT": b"421 Busy"}), ("answers", {"MAIL": b"530 Log in"})])
def test_a_failing_server_rests_for_all_mails_and_is_tried_by_one_first(
    mail_harness: MailHarness, scripted: ScriptedServer, fault: tuple[str, object]
) -> None:
    setattr(scripted, *fault)
    mails = [mail_harness.write(dedupe_key=str(number)) for number in range(4)]
    assert [mail_harness.deliver(mail_id) for mail_id in mails] == ["put off"] * 4
    assert scripted.connections == 1
    waiting = [mail_harness.mail(mail_id) for mail_id in mails]
    assert [mail.attempt for mail in waiting] == [1, 0, 0, 0]
    assert {mail.problem for mail in waiting[1:]} == {delivery.RESTS}
    with tenant_transaction(mail_harness.world.acme.tenant) as session:
        tries = session.execute(select(Job.attempt, Job.max_attempts).order_by(Job.id)).all()
    assert [most - attempt for attempt, most in tries] == [59, 60, 60, 60], "Waiting is no try."
    end_rest(mail_harness)
    scripted.reset()
    # One mail tries the server; while it has not said what it found, the next one waits.
    settings = mail_harness.runtime.settings
    assert (delivery.rest_of_server(settings), delivery.rest_of_server(settings) is None) == (None, False)
    end_rest(mail_harness)
    assert [mail_harness.deliver(mail_id) for mail_id in mails] == ["done"] * 4
    assert len(scripted.accepted) == 4


def test_mails_that_wait_for_a_resting_server_are_given_up_after_five_days_too(
    mail_harness: MailHarness, scripted: ScriptedServer
) -> None:
    scripted.answers = {"CONNECT": b"421 Busy"}
    first, second = mail_harness.write(dedupe_key="first"), mail_harness.write(dedupe_key="second")
    mail_harness.deliver(first)
    with tenant_transaction(mail_harness.world.acme.tenant) as session:
        session.execute(update(Mail).values(created_at=text("now() - interval '5 days'")))
    assert (mail_harness.deliver(second), mail_harness.state(second)) == ("done", "failed")


def test_no_kind_of_job_may_call_outside_for_as_long_as_it_may_run() -> None:
    assert kinds()["mail.send"].outside_seconds >= smtp.AGREE_SECONDS + smtp.GIVE_SECONDS
    assert kinds()["mail.send"].outside_seconds == kinds()["mail.send_platform"].outside_seconds
    with pytest.raises(ValueError, match="as long as the whole job"):
        JobKind("mail", "A test", "x:y", timeout_seconds=60, outside_seconds=60)


def test_a_deadline_holds_whatever_is_slow() -> None:
    began = time.monotonic()
    with pytest.raises(OutOfTime):
        call_within(Deadline(0.1), lambda: time.sleep(2))
    assert time.monotonic() - began < 1
    assert call_within(Deadline(5), lambda: 7) == 7
    with pytest.raises(KeyError):
        call_within(Deadline(5), lambda: {}["x"])


def end_rest(mail_harness: MailHarness) -> None:
    """The time of the rest is over; that the server failed is still known."""
    assert runtime() is mail_harness.runtime
    with mail_harness.runtime.redis.client() as client:
        for part in ("rest", "trial"):
            for key in client.scan_iter(mail_harness.runtime.redis.platform_key("rest", "*", part)):
                client.delete(key)
