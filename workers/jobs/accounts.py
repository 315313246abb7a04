"""Jobs about sign-ins: links for new passwords, invalidating what Redis holds, and the daily retention."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import update

from qikbiz.identity.accounts import session_invalidation
from qikbiz.identity.accounts.realms import Realm, staff_realm, tenant_realm
from qikbiz.identity.login.password_links import send_link_if_known
from qikbiz.identity.mfa.actions import seal_anew
from qikbiz.identity.sessions.retention import forget_logins, forget_staff_logins
from qikbiz.identity.sso.queries import seal_anew as seal_secret_of_provider_anew
from qikbiz.jobs.job_context import JobContext
from qikbiz.kernel.errors import Unavailable
from tenants.redis import RedisAway


def doubt_sessions(work: JobContext) -> None:
    """Have Postgres asked again about the sessions of `people`, which could not be said when it happened."""
    _doubt(work, tenant_realm())


def doubt_staff_sessions(work: JobContext) -> None:
    _doubt(work, staff_realm())


def forget_sessions(work: JobContext) -> None:
    with work.finish() as session:
        forget_logins(session)
        seal_anew(tenant_realm())
        seal_secret_of_provider_anew(tenant_realm())


def forget_staff_sessions(work: JobContext) -> None:
    with work.finish() as session:
        forget_staff_logins(session)
        seal_anew(staff_realm())


def send_password_link(work: JobContext) -> None:
    """Mail a link for a new password, if the sealed name is that of a login here."""
    _send_link(work, tenant_realm())


def send_staff_password_link(work: JobContext) -> None:
    _send_link(work, staff_realm())


def _send_link(work: JobContext, realm: Realm) -> None:
    with work.finish() as session:
        send_link_if_known(realm, work.arguments)
        # What was typed is kept no longer than it is needed.
        session.execute(update(work.model).where(work.model.id == work.job_id).values(arguments={}))


def _doubt(work: JobContext, realm: Realm) -> None:
    try:
        session_invalidation.invalidate(realm, [UUID(person) for person in work.arguments["people"]])
    except RedisAway as away:
        soon = datetime.now(UTC) + timedelta(seconds=5)
        raise Unavailable("Redis is away.", retry_at=soon) from away
