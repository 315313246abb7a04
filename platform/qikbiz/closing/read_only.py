"""While an account is in its retrieval period its records can be read and exported, and nothing in them is changed."""

from __future__ import annotations

from qikbiz.failures import Forbidden
from qikbiz.permissions import Permission
from tenants.context import Tenant

# What goes on: whatever is about one's own login, taking the data out, who may come in, and the closing itself.
STILL_ALLOWED = frozenset(
    {
        Permission.PUBLIC,
        Permission.SIGNED_IN,
        Permission.EXPORT_ASK,
        Permission.EXPORT_FETCH,
        Permission.GRANT_GIVE,
        Permission.CLOSING_ASK,
    }
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# What the tenant's role may only read meanwhile; the provisioner takes the other rights and gives them back.
RECORD_TABLES = ("companies", "contacts", "contact_companies", "record_changes")


class ReadOnly(Forbidden):
    """The account is closing, so nothing in it can be changed any more."""

    key = "read_only"


def refuse_change(tenant: Tenant) -> None:
    """Raises ReadOnly when `tenant` is in its retrieval period."""
    if tenant.read_only_until is not None:
        until = tenant.read_only_until
        raise ReadOnly(f"Everything can be read and exported until {until.day} {until:%B %Y}, when it is erased.")


def refuse_request(tenant: Tenant, permission: Permission, method: str) -> None:
    """The front door's question: may a page with this permission be asked for with this method?

    Forms that only lead to a change are not shown either: nobody shall fill in what can't be saved.
    """
    is_form = permission.endswith((":create", ":change"))
    if is_form or (method not in SAFE_METHODS and permission not in STILL_ALLOWED):
        refuse_change(tenant)
