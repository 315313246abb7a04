"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.job_kinds import JobKind, Periodic
from qikbiz.kernel.permissions import PageRight, Permission

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
    permissions=(
        PageRight(
            Permission.PERSON_ANSWER, 100, "Records", "answer privacy requests: export a person's data, and erase it"
        ),
    ),
    jobs={
        "data_subjects.erase": JobKind(
            "provisioning",
            "Erase a person",
            "provisioning.jobs:erase_data_subject",
            600,
            max_attempts=6,
            former_names=("persons.erase",),
        ),
        "data_subjects.erase_again": JobKind(
            "provisioning",
            "Erase people again after a restore",
            "provisioning.jobs:erase_again",
            600,
            former_names=("persons.erase_again",),
        ),
    },
    schedule=(
        # Erases again what a restored back-up holds of people who were erased.
        Periodic("erase again", "data_subjects.erase_again", timedelta(hours=6), each_tenant=True),
    ),
    hooks=("qikbiz.trust.data_subject_requests.registration:register",),
    evidence=("qikbiz.trust.data_subject_requests.promise:KEEPINGS",),
)
