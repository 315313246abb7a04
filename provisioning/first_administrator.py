"""The first login of a new tenant: invited by mail, with a link that works once and ends."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from config.settings import Settings
from provisioning.application import working_application
from qikbiz.accounts.models import User, UserToken
from qikbiz.database import tenant_work
from qikbiz.permissions import Role
from tenants.context import Tenant

INVITATION_DAYS = 7


def invite_first_administrator(settings: Settings, tenant: Tenant, email: str, name: str) -> str:
    """Add the administrator unless there is one with this address, and return the address of an invitation."""
    secret = secrets.token_urlsafe(32)
    with working_application(settings), tenant_work(tenant) as session:
        key = email.casefold()
        user = session.scalars(select(User).where(User.email_key == key)).one_or_none()
        if user is None:
            user = User(email=email, email_key=key, name=name, role=Role.ADMINISTRATOR)
            session.add(user)
            session.flush()
        token = UserToken(
            token_hash=settings.keys.mac("invitation", secret.encode()),
            person_id=user.id,
            purpose="invitation",
            expires_at=datetime.now(UTC) + timedelta(days=INVITATION_DAYS),
        )
        session.add(token)
    return f"{settings.origin(tenant.host)}/invitation/{secret}"
