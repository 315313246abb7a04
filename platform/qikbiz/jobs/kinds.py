"""Every kind of job that a feature declares: a worker runs only the functions that these name."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, derived
from qikbiz.kernel.job_kinds import JobKind


@derived
def kinds(features: tuple[Feature, ...]) -> dict[str, JobKind]:
    """Every kind by its name."""
    return {name: kind for feature in features for name, kind in feature.jobs.items()}


@derived
def _former_names(features: tuple[Feature, ...]) -> dict[str, str]:
    """The present name for each former one."""
    return {former: name for feature in features for name, kind in feature.jobs.items() for former in kind.former_names}


def current_name(name: str) -> str:
    """The present name of a kind for a former one, any other name as it is."""
    return _former_names().get(name, name)


def find_kind(name: str) -> JobKind | None:
    """The kind of this present or former name; None when no feature declares it."""
    return kinds().get(current_name(name))


def kind_named(name: str, *, is_platform: bool) -> JobKind:
    """The kind of this present or former name. Raises KeyError for an unknown name, or one of the other ledger."""
    kind = kinds()[current_name(name)]
    if kind.is_platform != is_platform:
        raise KeyError(f"{name} is a job of {'the platform' if kind.is_platform else 'a tenant'}.")
    return kind


def title_of(name: str) -> str:
    """How people read a kind; a name that is no longer known stays as it is."""
    kind = find_kind(name)
    return kind.title if kind else name
