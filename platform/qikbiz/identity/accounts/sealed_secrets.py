"""Secrets of sign-ins that lie sealed in the database: sealed anew once a day, so that older keys can be retired."""

from __future__ import annotations

from collections.abc import Callable

from qikbiz.identity.accounts.realms import Realm

_resealing: list[Callable[[Realm], int]] = []


def register_resealing(reseal: Callable[[Realm], int]) -> None:
    """`reseal` seals those of one kind that lie under an older key, in the transaction at work."""
    _resealing.append(reseal)


def reseal_secrets(realm: Realm) -> int:
    """Returns how many were sealed anew."""
    return sum(reseal(realm) for reseal in _resealing)
