"""What this package does for the pages of users."""

from __future__ import annotations

from qikbiz.crm.record_ownership.queries import owned_by
from qikbiz.crm.record_ownership.transfer import MOST_AT_ONCE, transfer_records
from qikbiz.identity.members.owned_records import OWNED_RECORDS, OwnedRecords


def register() -> None:
    OWNED_RECORDS.register(OwnedRecords(owned_by, transfer_records, MOST_AT_ONCE))
