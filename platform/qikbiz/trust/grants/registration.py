"""What this package does for sign-in and exports: who is inside by a grant, and what a grant lets staff export."""

from __future__ import annotations

from qikbiz.identity.sessions.current import SUPPORT_SESSION
from qikbiz.transfer.exports.contributions import register_approval
from qikbiz.trust.grants.exports import is_granted
from qikbiz.trust.grants.support_sessions import person_of_request


def register() -> None:
    SUPPORT_SESSION.register(person_of_request)
    register_approval(is_granted)
