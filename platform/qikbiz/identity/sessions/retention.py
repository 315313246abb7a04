"""Deleting what is no longer needed about logins: ended sessions, spent links, devices that are remembered no more."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, or_
from sqlalchemy.orm import Session

from qikbiz.identity.accounts.models import RememberSeries, UserSession, UserToken
from qikbiz.identity.staff.models import StaffSession, StaffToken

# Long enough that a user who asks "was that me?" still finds the session in the list.
SESSIONS_KEPT = timedelta(days=30)
LINKS_KEPT = timedelta(days=7)


def delete_expired_logins(session: Session) -> None:
    """In the tenant entered."""
    _delete_sessions(session, UserSession)
    _delete_links(session, UserToken)
    gone = func.now() - SESSIONS_KEPT
    is_over = or_(RememberSeries.ends_at < gone, RememberSeries.expires_at < gone, RememberSeries.revoked_at < gone)
    session.execute(delete(RememberSeries).where(is_over))


def delete_expired_staff_logins(session: Session) -> None:
    _delete_sessions(session, StaffSession)
    _delete_links(session, StaffToken)


def _delete_sessions(session: Session, model: type[UserSession] | type[StaffSession]) -> None:
    gone = func.now() - SESSIONS_KEPT
    is_over = or_(model.ends_at < gone, model.idle_until < gone, model.revoked_at < gone)
    session.execute(delete(model).where(is_over))


def _delete_links(session: Session, model: type[UserToken] | type[StaffToken]) -> None:
    session.execute(delete(model).where(model.expires_at < func.now() - LINKS_KEPT))
