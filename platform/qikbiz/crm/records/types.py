"""Every type of record by its name in addresses, files and commands."""

from __future__ import annotations

from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.records.fields import RecordType
from qikbiz.kernel.errors import NotFound

RECORD_TYPES: dict[str, RecordType] = {kind.plural: kind for kind in (CONTACTS, COMPANIES)}
BY_SINGULAR: dict[str, RecordType] = {kind.name: kind for kind in RECORD_TYPES.values()}


def record_type(plural: str) -> RecordType:
    """Raises NotFound for a name that is no record type."""
    if plural not in RECORD_TYPES:
        raise NotFound(f"There are no records called {plural!r}.")
    return RECORD_TYPES[plural]
