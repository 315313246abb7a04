"""How each promise is kept, by the features that keep it."""

from __future__ import annotations

from pkgutil import resolve_name

from qikbiz.kernel.evidence import Keeping
from qikbiz.kernel.feature import Feature, derived


@derived
def keepings(features: tuple[Feature, ...]) -> dict[str, tuple[Keeping, ...]]:
    """All ways in which each promise is kept, in the order of the features."""
    found: dict[str, tuple[Keeping, ...]] = {}
    for keeping in (one for feature in features for name in feature.evidence for one in resolve_name(name)):
        found[keeping.promise] = (*found.get(keeping.promise, ()), keeping)
    return found
