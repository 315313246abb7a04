"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

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
    emails={
        "organisation_resumed": "legal",
        "organisation_suspended": "legal",
    },
)
