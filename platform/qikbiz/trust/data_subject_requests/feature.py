"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

FEATURE = Feature(
    name="data_subject_requests",
    pages=(
        Pages("qikbiz.trust.data_subject_requests.routes:persons", "tenant"),
        Pages("qikbiz.trust.data_subject_requests.routes:receipts", "site"),
    ),
    models=("qikbiz.trust.data_subject_requests.models",),
    navigation=(
        NavigationEntry(
            "settings",
            180,
            "erasures",
            "Erased people",
            "user-x",
            "persons.erasures",
            permission="person:answer",
            group="Privacy",
        ),
    ),
    evidence=("qikbiz.trust.data_subject_requests.promise:KEEPINGS",),
)
