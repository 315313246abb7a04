"""What this package registers with the accounts: the secrets of authenticator apps are sealed anew."""

from __future__ import annotations

from qikbiz.identity.accounts.sealed_secrets import register_resealing
from qikbiz.identity.mfa.actions import seal_anew


def register() -> None:
    register_resealing(seal_anew)
