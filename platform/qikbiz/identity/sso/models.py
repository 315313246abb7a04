"""One identity provider for each organisation, and which of its logins belongs to whom."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.kernel.database import Model

ONLY = 1


class SsoProvider(Model):
    """`label` is what the button says after “Sign in with”. `sealed_secret` opens only for this organisation.

    `changed_at` is when issuer, client or secret changed last: who came in before has proved nothing about them.
    """

    __tablename__ = "sso_provider"
    __table_args__ = (
        CheckConstraint("id = 1", name="one"),
        CheckConstraint("length(issuer) between 8 and 500", name="issuer"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=ONLY, autoincrement=False)
    issuer: Mapped[str]
    client_id: Mapped[str]
    sealed_secret: Mapped[str]
    label: Mapped[str]
    is_on: Mapped[bool] = mapped_column(server_default=text("false"))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class SsoIdentity(Model):
    """`subject` is the provider's own name for a person: it stays when the address changes, and is nobody else's."""

    __tablename__ = "sso_identities"
    __table_args__ = (UniqueConstraint("user_id", "issuer", name="uq_sso_identities_user_id_issuer"),)

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    last_used_at: Mapped[datetime | None]
