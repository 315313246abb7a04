"""Which rooms keep which promises: one line for each room that has a `promise.py`."""

from __future__ import annotations

from functools import cache

from qikbiz.audit import promise as audit
from qikbiz.crm.records import promise as records
from qikbiz.identity.accounts import promise as accounts
from qikbiz.identity.members import promise as members
from qikbiz.identity.mfa import promise as factors
from qikbiz.identity.roles import promise as roles
from qikbiz.identity.sign_in_policy import promise as policy
from qikbiz.kernel.evidence import Keeping
from qikbiz.messaging.announcements import promise as announcements
from qikbiz.messaging.mail import promise as mail
from qikbiz.messaging.notifications import promise as notifications
from qikbiz.security.access_log import promise as access
from qikbiz.trust.account_closure import promise as closing
from qikbiz.trust.data_subject_requests import promise as persons
from qikbiz.trust.domains import promise as domains
from qikbiz.trust.grants import promise as grants
from qikbiz.trust.privacy import promise as privacy
from qikbiz.trust.tickets import promise as tickets

ROOMS: tuple[tuple[Keeping, ...], ...] = (
    access.KEEPINGS,
    accounts.KEEPINGS,
    announcements.KEEPINGS,
    audit.KEEPINGS,
    closing.KEEPINGS,
    domains.KEEPINGS,
    factors.KEEPINGS,
    grants.KEEPINGS,
    mail.KEEPINGS,
    members.KEEPINGS,
    notifications.KEEPINGS,
    persons.KEEPINGS,
    policy.KEEPINGS,
    privacy.KEEPINGS,
    records.KEEPINGS,
    roles.KEEPINGS,
    tickets.KEEPINGS,
)


@cache
def keepings() -> dict[str, tuple[Keeping, ...]]:
    """All ways in which each promise is kept, in the order of the rooms."""
    found: dict[str, tuple[Keeping, ...]] = {}
    for keeping in (one for room in ROOMS for one in room):
        found[keeping.promise] = (*found.get(keeping.promise, ()), keeping)
    return found
