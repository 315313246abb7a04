"""Retention of logins, once a day."""

from __future__ import annotations

from qikbiz.accounts.forgetting import forget_logins, forget_staff_logins
from workers.work import Work


def forget_sessions(work: Work) -> None:
    with work.finish() as session:
        forget_logins(session)


def forget_staff_sessions(work: Work) -> None:
    with work.finish() as session:
        forget_staff_logins(session)
