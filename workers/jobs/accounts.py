"""Jobs about logins: let Redis doubt what it remembers of people, and the daily retention."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from qikbiz.accounts import session_cache
from qikbiz.accounts.forgetting import forget_logins, forget_staff_logins
from qikbiz.accounts.realms import Realm, staff_realm, tenant_realm
from qikbiz.factors.actions import seal_anew
from qikbiz.failures import Unavailable
from qikbiz.sso.queries import seal_anew as seal_secret_of_provider_anew
from tenants.redis import RedisAway
from workers.work import Work


def doubt_sessions(work: Work) -> None:
    """Have Postgres asked again about the sessions of `people`, which could not be said when it happened."""
    _doubt(work, tenant_realm())


def doubt_staff_sessions(work: Work) -> None:
    _doubt(work, staff_realm())


def forget_sessions(work: Work) -> None:
    with work.finish() as session:
        forget_logins(session)
        seal_anew(tenant_realm())
        seal_secret_of_provider_anew(tenant_realm())


def forget_staff_sessions(work: Work) -> None:
    with work.finish() as session:
        forget_staff_logins(session)
        seal_anew(staff_realm())


def _doubt(work: Work, realm: Realm) -> None:
    try:
        session_cache.doubt(realm, [UUID(person) for person in work.arguments["people"]])
    except RedisAway as away:
        soon = datetime.now(UTC) + timedelta(seconds=5)
        raise Unavailable("Redis is away.", retry_at=soon) from away
