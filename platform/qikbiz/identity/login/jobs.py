"""Jobs about signing in: sending links for new passwords."""

from __future__ import annotations

from sqlalchemy import update

from qikbiz.identity.accounts.realms import Realm, staff_realm, tenant_realm
from qikbiz.identity.login.password_links import send_link_if_known
from qikbiz.jobs.job_context import JobContext


def send_password_link(work: JobContext) -> None:
    """Email a link for a new password, if the sealed name is that of a login here."""
    _send_link(work, tenant_realm())


def send_staff_password_link(work: JobContext) -> None:
    _send_link(work, staff_realm())


def _send_link(work: JobContext, realm: Realm) -> None:
    with work.finish() as session:
        send_link_if_known(realm, work.arguments)
        # What was typed is kept no longer than it is needed.
        session.execute(update(work.model).where(work.model.id == work.job_id).values(arguments={}))
