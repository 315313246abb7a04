"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.job_kinds import HOUR, JobKind, Periodic
from qikbiz.kernel.permissions import Permission, StaffRole

FEATURE = Feature(
    name="console",
    pages=(
        Pages("qikbiz.console.logins:staff", "console"),
        Pages("qikbiz.console.routes:console", "console"),
    ),
    navigation=(
        NavigationEntry("console", 10, "work", "Tickets", "inbox", "console.work", permission="ticket:answer"),
        NavigationEntry(
            "console", 20, "tenants", "Tenants", "building-skyscraper", "console.tenants", permission="tenant:see"
        ),
        NavigationEntry("console", 30, "jobs", "Jobs", "activity", "console.jobs", permission="platform-job:see"),
        NavigationEntry("console", 40, "mails", "Emails", "mail", "console.mails", permission="platform-mail:see"),
        NavigationEntry(
            "console", 70, "addresses", "IP addresses", "shield-x", "console.addresses", permission="abuse:see"
        ),
        NavigationEntry(
            "console",
            80,
            "statement",
            "Statement",
            "shield-check",
            "console.statement",
            permission="statement:announce",
        ),
        NavigationEntry(
            "console", 90, "audit", "Audit", "clipboard-list", "console.audit", permission="platform-audit:see"
        ),
    ),
    staff_permissions={
        Permission.TENANT_SEE: (StaffRole.AUDITOR, StaffRole.SUPPORT, StaffRole.OPERATOR),
        Permission.TENANT_CREATE: (StaffRole.OPERATOR,),
        Permission.TENANT_LIMIT: (StaffRole.OPERATOR,),
        Permission.TENANT_SUSPEND: (StaffRole.OPERATOR,),
        Permission.TENANT_DELETE: (StaffRole.OPERATOR,),
        Permission.PLATFORM_AUDIT_SEE: (StaffRole.AUDITOR, StaffRole.OPERATOR),
        Permission.PLATFORM_JOB_SEE: (StaffRole.AUDITOR, StaffRole.SUPPORT, StaffRole.OPERATOR),
        Permission.PLATFORM_MAIL_SEE: (StaffRole.SUPPORT, StaffRole.OPERATOR),
    },
    jobs={
        "tenants.create": JobKind(
            "provisioning", "Create a tenant", "provisioning.jobs:create_tenant", 300, is_platform=True
        ),
        "tenants.measure": JobKind(
            "provisioning", "Measure all tenants", "provisioning.jobs:measure_tenants", HOUR, is_platform=True
        ),
    },
    schedule=(Periodic("measure tenants", "tenants.measure", timedelta(hours=1)),),
    emails={
        "organisation_resumed": "legal",
        "organisation_suspended": "legal",
    },
)
