"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.job_kinds import JobKind, Periodic
from qikbiz.kernel.permissions import PageRight, Permission, StaffRole

FEATURE = Feature(
    name="grants",
    pages=(Pages("qikbiz.trust.grants.routes:grants", "tenant"),),
    models=("qikbiz.trust.grants.models",),
    navigation=(
        NavigationEntry(
            "settings",
            130,
            "grants",
            "Support access",
            "login-2",
            "grants.index",
            permission="grant:give",
            group="Privacy",
        ),
    ),
    permissions=(PageRight(Permission.GRANT_GIVE, 70, "Privacy", "give QikBiz staff access, and revoke it"),),
    staff_permissions={
        Permission.TENANT_ENTER: (StaffRole.SUPPORT, StaffRole.OPERATOR),
        Permission.TENANT_EXPORT: (StaffRole.SUPPORT, StaffRole.OPERATOR),
        Permission.TENANT_IMPORT: (StaffRole.SUPPORT, StaffRole.OPERATOR),
    },
    jobs={
        # Only the provisioning worker may make and drop the logins by which guests come in.
        "grants.open": JobKind(
            "provisioning",
            "Create the database role of a grant",
            "provisioning.jobs:make_grant_role",
            60,
            max_attempts=20,
            is_platform=True,
        ),
        "grants.close": JobKind(
            "provisioning",
            "Drop the database roles of ended grants",
            "provisioning.jobs:drop_grant_roles",
            300,
            is_platform=True,
        ),
    },
    schedule=(
        # Each is refused from the minute its time is over; this takes its login out of the database too.
        Periodic("close grants", "grants.close", timedelta(minutes=1)),
    ),
    emails={
        "instruction_confirmed": "security",
        "instruction_recorded": "security",
        "staff_entered": "security",
    },
    hooks=("qikbiz.trust.grants.registration:register",),
    evidence=("qikbiz.trust.grants.promise:KEEPINGS",),
)
