"""An account that is suspended or in its retrieval period is read and exported, and nothing in it is changed.

A suspension is the same for its people as a closing, but for the end: they sign in, read, export, close the account,
ask our support and see what it did.
"""

from __future__ import annotations

from qikbiz.kernel.access import AccessRule
from qikbiz.kernel.errors import Forbidden
from qikbiz.kernel.permissions import Action, AnyPermission, Permission, record_permission, record_types
from tenants.context import Tenant, current_tenant

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
_LEADING_TO_A_CHANGE = frozenset({Permission.IMPORT_APPLY, Permission.IMPORT_UNDO, Permission.USER_INVITE})
_CHANGES = (Action.CREATE, Action.CHANGE, Action.IMPORT)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def withheld() -> frozenset[AnyPermission]:
    """What only leads to a change: nobody has these meanwhile, so that neither links to them nor their forms show."""
    return _LEADING_TO_A_CHANGE | {record_permission(kind, action) for kind in record_types() for action in _CHANGES}


class ReadOnly(Forbidden):
    """The account is closing, so nothing in it can be changed any more."""

    key = "read_only"


class Suspended(Forbidden):
    """The operator suspended the workspace: nothing is changed meanwhile. The text is the reason."""

    key = "tenant_suspended"


def refuse_change(tenant: Tenant) -> None:
    """Raises ReadOnly when `tenant` is in its retrieval period, Suspended while it is suspended."""
    if tenant.state == "suspended":
        raise Suspended(tenant.state_reason)
    if tenant.read_only_until is not None:
        until = tenant.read_only_until
        raise ReadOnly(f"You can read and export everything until {until.day} {until:%B %Y}. Then all data is erased.")


def is_read_only() -> bool:
    """Whether nothing in the tenant entered may be changed."""
    return current_tenant().is_read_only


def refuse_request(tenant: Tenant, rule: AccessRule, method: str) -> None:
    """The request pipeline's question: may a page with this rule be asked for with this method?"""
    if rule.read_only_ok:
        return
    if rule.permission in withheld() or (method not in SAFE_METHODS and rule.permission not in STILL_ALLOWED):
        refuse_change(tenant)
