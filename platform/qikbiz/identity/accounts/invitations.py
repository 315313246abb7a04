"""Inviting from a command: the first administrator of a new tenant."""

from __future__ import annotations

from qikbiz.identity.accounts.actions import invite_user


def invite(email: str, name: str, role: str) -> str:
    """Invite somebody into the tenant entered (inside `tenant_transaction`) and return the link that was mailed.

    Asked again for somebody who has not accepted yet, it sends a new link and the one before ends.
    """
    return invite_user(email, name, [role])
