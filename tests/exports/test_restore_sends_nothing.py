"""Restoring an organisation sends no mail twice, keeps every opt-out, and is in its audit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from qikbiz.audit.models import AuditEvent
from qikbiz.jobs.models import Job
from qikbiz.kernel.database import tenant_transaction
from qikbiz.messaging.mail.actions import send
from qikbiz.messaging.mail.choices import choices_of
from qikbiz.messaging.mail.models import Mail, MailChoice
from qikbiz.messaging.notifications.models import Notification
from qikbiz.transfer.exports.restore import restore_archive
from tenants.context import Tenant
from tests.exports.conftest import ExportHarness
from tests.mail.conftest import NOTICE

pytestmark = pytest.mark.promise("P18")


def test_no_mail_is_sent_again_no_opt_out_is_forgotten_and_the_audit_says_so(
    export_harness: ExportHarness, fresh_tenant: Callable[..., Tenant], tmp_path: Path
) -> None:
    """With mails waiting, sent and failed, and a notification still to be mailed, at the moment of the back-up."""
    with tenant_transaction(export_harness.tenant) as session:
        for state in ("pending", "sent", "failed"):
            send(**NOTICE, to_address=export_harness.alice.email, dedupe_key=state).state = state
        told = {"kind": "assigned", "subject": "Ann is yours", "url": "/contacts", "mail": "daily"}
        session.add(Notification(user_id=export_harness.alice.id, **told))
        session.add(MailChoice(user_id=export_harness.alice.id, category="updates", choice="off", how="mail"))
    file = export_harness.save(export_harness.make(), tmp_path / "export.zip")
    elsewhere = fresh_tenant("Elsewhere")
    with tenant_transaction(elsewhere) as session:
        mails, jobs = set(session.scalars(select(Mail.id))), set(session.scalars(select(Job.id)))
        restore_archive(file)
    with tenant_transaction(elsewhere) as session:
        assert set(session.scalars(select(Mail.id))) == mails
        assert set(session.scalars(select(Job.id))) == jobs
        assert session.scalars(select(Notification)).all() == []
        assert choices_of(export_harness.alice.id)["updates"] == "off"
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "archive.restored")).one()
        assert event.details["from"] == export_harness.tenant.slug
