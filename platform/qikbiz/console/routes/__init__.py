"""The console's pages; importing this package declares them on the blueprint."""

from qikbiz.console.blueprint import console
from qikbiz.console.routes import (
    addresses,
    jobs,
    mails,
    platform_audit,
    statements,
    support,
    tenant_jobs,
    tenants,
    tickets,
)

__all__ = [
    "addresses", "console", "jobs", "mails", "platform_audit", "statements", "support", "tenant_jobs", "tenants",
    "tickets",
]  # fmt: skip
