"""P19: a probe fetches the public notice over HTTP and writes down whether it stood there, word for word."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from werkzeug.serving import make_server

from config.settings import Settings
from qikbiz.app.request_pipeline import QikBiz
from qikbiz.audit.models import PlatformAuditEvent
from qikbiz.identity.staff.models import Staff
from qikbiz.jobs.actions import enqueue_platform
from qikbiz.jobs.models import PlatformJob
from qikbiz.kernel.database import control_transaction
from qikbiz.messaging.mail.models import PlatformMail
from qikbiz.trust.privacy import notice_probe
from qikbiz.trust.privacy.notice_probe import Look, look_at_notice
from qikbiz.trust.privacy.queries import announced_statement, looks_of_the_probe
from tenants.runtime import Runtime
from tests.fixtures.statements import MONDAY, Notary, changed_text
from workers.run_job import perform
from workers.schedule import schedule

pytestmark = pytest.mark.promise("P19")


@pytest.fixture
def announced(notary: Notary) -> Notary:
    notary.at(MONDAY)
    notary.announce()
    return notary


@pytest.fixture
def served(app: QikBiz, settings: Settings) -> Iterator[Settings]:
    """Settings whose public address is a real server with the product behind it."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield replace(settings, public_url=f"http://localhost:{server.server_port}")
    server.shutdown()
    thread.join()


def look(settings: Settings) -> Look:
    coming = announced_statement()
    assert coming is not None
    return look_at_notice(settings, coming)


def run_job() -> str:
    with control_transaction():
        job = enqueue_platform("statements.probe", {})
    perform(None, job.id)
    with control_transaction() as session:
        return session.get_one(PlatformJob, job.id).state


def test_the_notice_is_found_where_it_stands(announced: Notary, working: Runtime, served: Settings) -> None:
    found = look(served)
    assert found.stood, found.remark
    assert len(found.page_sha256) == 64


def test_a_site_that_does_not_answer_is_no_notice(announced: Notary, working: Runtime, settings: Settings) -> None:
    for address in ("http://localhost:1", "file:///etc/passwd", "nonsense"):
        found = look(replace(settings, public_url=address))
        assert not found.stood
        assert "could not be read" in found.remark


@pytest.mark.parametrize(
    ("page", "front", "remark"),
    [
        ("an old page from a cache", 'class="announcement"', "Cookies and logging in”, P1"),
        ("whole", "a front page without it", "no banner"),
        ("one heading is missing", 'class="announcement"', "lacks “Keeping data safe”."),
    ],
)
def test_a_page_without_the_words_or_the_banner_is_no_notice(
    announced: Notary, working: Runtime, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    page: str, front: str, remark: str,
) -> None:  # fmt: skip
    coming = announced_statement()
    assert coming is not None
    whole = " ".join([*(block.text for block in coming.text.blocks), coming.sha256])
    page = whole.replace("Keeping data safe", "") if "heading" in page else page
    answers = {"/": front, f"/privacy/versions/{coming.number}": whole if page == "whole" else page}
    monkeypatch.setattr(notice_probe, "_fetched", lambda url: answers[url.removeprefix("http://site.example")].encode())
    found = look_at_notice(replace(settings, public_url="http://site.example"), coming)
    assert not found.stood
    assert remark in found.remark


def test_each_look_is_written_down_with_the_databases_own_moment(
    announced: Notary, working: Runtime, served: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "settings", served)
    monkeypatch.setattr(
        "qikbiz.trust.privacy.jobs.look_at_notice", lambda _settings, version: look_at_notice(served, version)
    )
    assert run_job() == "done"
    [seen] = looks_of_the_probe()
    assert (seen.version, seen.stood) == (2, True)
    assert seen.seen_at == MONDAY


def test_while_nothing_is_announced_nothing_is_looked_for(notary: Notary, working: Runtime) -> None:
    assert run_job() == "done"
    assert looks_of_the_probe() == []


def test_it_looks_four_times_a_day() -> None:
    [periodic] = [entry for entry in schedule() if entry.kind == "statements.probe"]
    assert periodic.every.total_seconds() == 6 * 3600


def test_a_changed_file_is_told_to_the_operators_and_in_the_audit(
    announced: Notary, working: Runtime, put_version: Callable[..., Path]
) -> None:
    put_version(2, changed_text(ending=" We sell them."))
    run_job()
    run_job()
    with control_transaction() as session:
        event = session.scalars(
            select(PlatformAuditEvent).where(PlatformAuditEvent.action == "statement.file_differs")
        ).first()
        mails = session.scalars(select(PlatformMail).where(PlatformMail.template == "statement_file_differs")).all()
        active = Staff.role == "operator", Staff.state == "active"
        operators = session.scalars(select(Staff.email).where(*active)).all()
    assert event is not None
    assert event.subject == "Version 2"
    # Each once, though two looks found it.
    assert "olivia@qikbiz.example.com" in operators
    assert sorted(mail.to_address for mail in mails) == sorted(operators)
