"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.permissions import purge_right

FEATURE = Feature(
    name="companies",
    pages=(Pages("qikbiz.crm.companies.routes:companies", "tenant"),),
    models=("qikbiz.crm.companies.models",),
    navigation=(
        NavigationEntry(
            "tenant", 30, "companies", "Companies", "building", "companies.index", permission="company:see"
        ),
    ),
    permissions=(purge_right("company", "companies", 90),),
    hooks=("qikbiz.crm.companies.registration:register",),
)
