"""Jobs about sessions: invalidating them in Redis, and the daily retention."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from qikbiz.identity.accounts import session_invalidation
from qikbiz.identity.accounts.realms import Realm, staff_realm, tenant_realm
from qikbiz.identity.accounts.sealed_secrets import reseal_secrets
from qikbiz.identity.sessions.retention import delete_expired_logins, delete_expired_staff_logins
from qikbiz.jobs.job_context import JobContext
from qikbiz.kernel import clock
from qikbiz.kernel.errors import Unavailable
from tenants.redis import RedisAway


def invalidate_sessions(work: JobContext) -> None:
    """Have Postgres asked again about the sessions of `people`, which could not be said when it happened."""
    _invalidate(work, tenant_realm())


def invalidate_staff_sessions(work: JobContext) -> None:
    _invalidate(work, staff_realm())


def delete_old_sessions(work: JobContext) -> None:
    """Delete what is no longer needed about sign-ins, and seal anew what lies under older keys."""
    with work.finish() as session:
        delete_expired_logins(session)
        reseal_secrets(tenant_realm())


def delete_old_staff_sessions(work: JobContext) -> None:
    with work.finish() as session:
        delete_expired_staff_logins(session)
        reseal_secrets(staff_realm())


def _invalidate(work: JobContext, realm: Realm) -> None:
    try:
        session_invalidation.invalidate(realm, [UUID(person) for person in work.arguments["people"]])
    except RedisAway as away:
        soon = clock.now() + timedelta(seconds=5)
        raise Unavailable("Redis is away.", retry_at=soon) from away
