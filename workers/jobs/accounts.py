"""Looking after sessions: forget those that ended long ago, and tell Redis what it missed while it was away."""

from __future__ import annotations

from uuid import UUID

from qikbiz.accounts import session_cache, session_rows
from qikbiz.accounts.realms import Realm, staff_realm, tenant_realm
from qikbiz.failures import Unavailable
from tenants.context import entered
from tenants.redis import RedisAway
from workers.work import Work


def forget_sessions(work: Work) -> None:
    with work.finish() as session:
        session_rows.delete_long_ended(session, tenant_realm())


def forget_staff_sessions(work: Work) -> None:
    with work.finish() as session:
        session_rows.delete_long_ended(session, staff_realm())


def doubt_sessions(work: Work) -> None:
    assert work.tenant is not None
    with entered(work.tenant):
        _doubt(tenant_realm(), work)


def doubt_staff_sessions(work: Work) -> None:
    _doubt(staff_realm(), work)


def _doubt(realm: Realm, work: Work) -> None:
    try:
        session_cache.doubt(realm, [UUID(person_id) for person_id in work.arguments["people"]])
    except RedisAway as error:
        # The ledger tries again, a little later each time; while Redis is away nobody believes it anyway.
        raise Unavailable("Redis can't be reached yet.") from error
    with work.finish():
        pass
