"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.permissions import Permission, StaffRole

FEATURE = Feature(
    name="tickets",
    pages=(
        Pages("qikbiz.trust.tickets.public_pages:contact", "site"),
        Pages("qikbiz.trust.tickets.public_pages:contact", "tenant", name="tenant_contact"),
        Pages("qikbiz.trust.tickets.public_pages:appeals", "tenant"),
        Pages("qikbiz.trust.tickets.public_pages:appeals", "console", name="staff_appeals"),
        Pages("qikbiz.trust.tickets.help_pages:help_pages", "tenant"),
    ),
    models=("qikbiz.trust.tickets.models",),
    navigation=(NavigationEntry("settings", 70, "help", "Help", "help", "help.index", group="You"),),
    staff_permissions={
        Permission.TICKET_ANSWER: (StaffRole.SUPPORT, StaffRole.OPERATOR),
    },
    emails={
        "ticket_answer": "answers",
        "ticket_received": "answers",
    },
    hooks=("qikbiz.trust.tickets.registration:register",),
    evidence=("qikbiz.trust.tickets.promise:KEEPINGS",),
)
