"""PostgreSQL dies after it committed and before it answered: sending the form again gives the one result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import request
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from qikbiz.audit.models import AuditEvent
from qikbiz.jobs.models import Job
from qikbiz.kernel.database import TenantSession, tenant_transaction
from qikbiz.transfer.exports.models import Export
from tenants.control import new_id
from tests.exports.conftest import ExportHarness
from tests.fixtures.web import Browser


def lose_the_next_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit of the next form is done, and its answer is lost."""
    really = TenantSession.commit

    def commit(session: Any) -> None:
        really(session)
        if request.method == "POST":
            monkeypatch.setattr(TenantSession, "commit", really)
            gone = psycopg.OperationalError("server closed the connection unexpectedly")
            raise OperationalError("COMMIT", {}, gone)

    monkeypatch.setattr(TenantSession, "commit", commit)


def test_an_export_whose_answer_was_lost_is_asked_for_once(
    export_harness: ExportHarness, log_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = log_in(export_harness.alice)
    form = {"scope": "contacts", "product": "portable", "export_id": str(new_id()), "csrf_token": alice.csrf_token()}
    lose_the_next_answer(monkeypatch)
    lost = alice.post("/exports", form)
    assert lost.status_code == 503 and lost.headers["Retry-After"]
    again = alice.post("/exports", form)
    assert again.location == f"/exports/{form['export_id']}"
    with tenant_transaction(export_harness.tenant) as session:
        asked = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "export.asked")
        jobs = select(func.count()).select_from(Job).where(Job.kind == "exports.create")
        found = select(func.count()).select_from(Export)
        assert [session.scalar(question) for question in (asked, jobs, found)] == [1, 1, 1]
