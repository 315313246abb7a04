"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

FEATURE = Feature(
    name="companies",
    pages=(Pages("qikbiz.crm.companies.routes:companies", "tenant"),),
    models=("qikbiz.crm.companies.models",),
    navigation=(
        NavigationEntry(
            "tenant", 30, "companies", "Companies", "building", "companies.index", permission="company:see"
        ),
    ),
    hooks=("qikbiz.crm.companies.registration:register",),
)
