"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.job_kinds import HOUR, JobKind, Periodic
from qikbiz.kernel.permissions import PageRight, Permission, StaffRole

FEATURE = Feature(
    name="account_closure",
    pages=(
        Pages("qikbiz.trust.account_closure.routes:closing", "tenant"),
        Pages("qikbiz.trust.account_closure.site_routes:certificates", "site"),
        Pages("qikbiz.trust.account_closure.console_routes:closings", "console"),
    ),
    models=("qikbiz.trust.account_closure.models",),
    navigation=(
        NavigationEntry(
            "settings",
            200,
            "closing",
            "Close your account",
            "door-exit",
            "closing.index",
            permission="closing:ask",
            group="Danger zone",
        ),
        NavigationEntry(
            "console", 50, "closings", "Account closures", "door-exit", "closings.index", permission="closing:handle"
        ),
    ),
    permissions=(PageRight(Permission.CLOSING_ASK, 130, "Organisation", "see billing, and close the account"),),
    staff_permissions={
        Permission.CLOSING_HANDLE: (StaffRole.OPERATOR,),
    },
    jobs={
        "tenants.erase": JobKind(
            "provisioning", "Erase tenants that are due", "provisioning.jobs:erase_tenants", HOUR, is_platform=True
        ),
        "account_closures.advance": JobKind(
            "provisioning",
            "Continue account closures",
            "provisioning.jobs:advance_closures",
            HOUR,
            is_platform=True,
            former_names=("closings.drive",),
        ),
    },
    schedule=(
        Periodic("advance account closures", "account_closures.advance", timedelta(hours=1)),
        Periodic("erase closed tenants", "tenants.erase", timedelta(hours=1)),
    ),
    emails={
        "closing_accepted": "legal",
        "closing_asked": "legal",
        "closing_cancelled": "legal",
        "closing_certificate": "legal",
        "closing_ended_by_us": "legal",
        "closing_exported": "legal",
        "closing_extended": "legal",
        "closing_invoice": "billing",
        "closing_read_only": "legal",
        "closing_reminder": "legal",
    },
    hooks=("qikbiz.trust.account_closure.registration:register",),
    evidence=("qikbiz.trust.account_closure.promise:KEEPINGS",),
)
