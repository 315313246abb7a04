"""What this package does for sign-in."""

from __future__ import annotations

from qikbiz.identity.sessions.current import SUPPORT_SESSION
from qikbiz.trust.grants.support_sessions import person_of_request


def register() -> None:
    SUPPORT_SESSION.register(person_of_request)
