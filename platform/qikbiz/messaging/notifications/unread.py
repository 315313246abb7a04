"""How many notifications a user has not read: on every page, so it costs one read from Redis and no SQL.

Postgres is the truth. Redis keeps the number for a minute, and deletes it whenever the user is notified or reads one.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from flask import g
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from qikbiz.kernel.database import after_commit, db, runtime
from qikbiz.messaging.notifications.models import Notification
from tenants.context import current_tenant, tenant_or_none
from tenants.redis import RedisAway

KEPT_SECONDS = 60


def unread_count() -> int:
    """For the current user. 0 where nobody is signed in, or nothing can be asked, as on some error pages."""
    if tenant_or_none() is None or not current_user.is_authenticated or current_user.inside:
        return 0
    if "unread" not in g:
        # A page shows it in several places.
        g.unread = _looked_up(current_user.id)
    return int(g.unread)


def _looked_up(user_id: UUID) -> int:
    kept = _kept(user_id)
    if kept is not None:
        return kept
    try:
        with db.session.begin_nested():
            number = counted(user_id)
    except SQLAlchemyError:
        return 0
    with suppress(RedisAway), runtime().redis.client() as redis:
        redis.set(_key(user_id), number, ex=KEPT_SECONDS)
    return number


def counted(user_id: UUID) -> int:
    """The truth."""
    own = (Notification.user_id == user_id, Notification.read_at.is_(None))
    return db.session.scalar(select(func.count()).where(*own)) or 0


def invalidate_counts(user_ids: Iterable[UUID]) -> None:
    """Have them counted again after the current transaction is committed."""
    keys = [_key(user_id) for user_id in user_ids]
    if keys:
        store = runtime().redis

        def delete() -> None:
            with suppress(RedisAway), store.client() as redis:
                redis.delete(*keys)

        after_commit(db.session(), delete)


def _kept(user_id: UUID) -> int | None:
    with suppress(RedisAway, ValueError), runtime().redis.client() as redis:
        kept = redis.get(_key(user_id))
        return int(str(kept)) if kept is not None else None
    return None


def _key(user_id: UUID) -> str:
    return runtime().redis.tenant_key(current_tenant().id, "unread", user_id.hex)
