"""Which members of our staff can see the records of this organisation, by its grants (promise P12)."""

from __future__ import annotations

from qikbiz.crm.records.access import Viewer
from qikbiz.kernel.database import control_transaction
from qikbiz.trust.grants.models import Grant
from qikbiz.trust.grants.queries import grants_of, is_in_force, names_of
from qikbiz.trust.grants.scopes import LABELS, GrantScope
from tenants.context import current_tenant

# What of a grant shows or touches a record; an export holds it, a restore does not.
_SHOWING = frozenset({GrantScope.SEE, GrantScope.CHANGE, GrantScope.IMPORT, GrantScope.EXPORT})


def staff_viewers() -> list[Viewer]:
    with control_transaction() as control:
        return [_viewer(grant) for grant in grants_of(control, current_tenant().id) if _shows(grant)]


def _shows(grant: Grant) -> bool:
    return is_in_force(grant) and bool(_SHOWING & {*grant.scopes})


def _viewer(grant: Grant) -> Viewer:
    allowed = [LABELS[scope][0].lower() for scope in GrantScope if scope in grant.scopes and scope in _SHOWING]
    until = f"{grant.ends_at:%d %B, %H:%M} UTC"
    why = f"access given by {grant.given_by_name} until {until} ({grant.reference}: {grant.reason})"
    return Viewer(names_of(grant), why, ", ".join(allowed), is_staff=True)
