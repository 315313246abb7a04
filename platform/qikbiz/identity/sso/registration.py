"""What this package registers with the accounts: the secret of the identity provider is sealed anew."""

from __future__ import annotations

from qikbiz.identity.accounts.sealed_secrets import register_resealing
from qikbiz.identity.sso.queries import seal_anew


def register() -> None:
    register_resealing(seal_anew)
