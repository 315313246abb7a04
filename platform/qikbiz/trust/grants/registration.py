"""What a grant lets staff do, for the packages below: come in, be named as viewers of a record, have exports made."""

from __future__ import annotations

from qikbiz.crm.records.access import STAFF_VIEWERS
from qikbiz.identity.sessions.current import SUPPORT_SESSION
from qikbiz.transfer.exports.contributions import register_approval
from qikbiz.trust.grants.exports import is_granted
from qikbiz.trust.grants.record_viewers import staff_viewers
from qikbiz.trust.grants.support_sessions import person_of_request


def register() -> None:
    SUPPORT_SESSION.register(person_of_request)
    STAFF_VIEWERS.register(staff_viewers)
    register_approval(is_granted)
