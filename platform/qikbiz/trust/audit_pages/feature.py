"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.permissions import PageRight, Permission

FEATURE = Feature(
    name="audit_pages",
    pages=(Pages("qikbiz.trust.audit_pages.routes:audit", "tenant"),),
    navigation=(
        NavigationEntry(
            "settings", 160, "audit", "Audit", "clipboard-list", "audit.index", permission="audit:see", group="Privacy"
        ),
    ),
    permissions=(PageRight(Permission.AUDIT_SEE, 50, "Privacy", "read the audit"),),
    hooks=("qikbiz.trust.audit_pages.registration:register",),
)
