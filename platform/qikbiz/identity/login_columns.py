"""The columns of a login, its sessions, tokens and factors. A tenant's users and our staff both have them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.control import new_id


class LoginColumns:
    """Any of these tables, for code that serves both (`accounts/realms.py`). A row is made of its columns' values."""

    __tablename__: str

    def __init__(self, **values: object) -> None:
        super().__init__(**values)


class PersonColumns(LoginColumns):
    """A login. `epoch` grows whenever all its sessions must end. `email_key` is the address folded for look-up."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="invited")
    # Read only where a password is checked: a list of users needs no right to it.
    password_hash: Mapped[str | None] = mapped_column(deferred=True)
    password_changed_at: Mapped[datetime | None]
    # When it was last given and met the rules of that day: it can be judged only then.
    password_judged_at: Mapped[datetime | None]
    epoch: Mapped[int] = mapped_column(server_default="1")
    time_zone: Mapped[str] = mapped_column(server_default="")
    preferences: Mapped[dict[str, object]] = mapped_column(server_default=text("'{}'"))
    last_seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    def role_keys(self) -> tuple[str, ...]:
        """The keys of a login's roles. Staff have one."""
        raise NotImplementedError

    def give_roles(self, keys: Sequence[str]) -> None:
        raise NotImplementedError


class SessionColumns(LoginColumns):
    """One login on one device. `id_hash` is the HMAC of the id that only the cookie holds."""

    id_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(index=True)
    person_epoch: Mapped[int]
    tenant_epoch: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    last_seen_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    idle_until: Mapped[datetime]
    ends_at: Mapped[datetime]
    fresh_until: Mapped[datetime | None]
    method: Mapped[str]
    device: Mapped[str] = mapped_column(server_default="")
    address_prefix: Mapped[str] = mapped_column(server_default="")
    series_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    from_anywhere: Mapped[bool] = mapped_column(server_default=text("false"))
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str] = mapped_column(server_default="")


class TokenColumns(LoginColumns):
    """A single-use link: an invitation or a new password. Only the hash of its secret is kept."""

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(index=True)
    purpose: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class FactorColumns(LoginColumns):
    """What a user shows beside or instead of the password: a passkey, an authenticator app, or one recovery code.

    `handle` finds it: a passkey's credential id, or the hash of a recovery code. `counter` only grows: the passkey's
    count of signatures, or the number of the half minute whose code was used last. `host` is where a passkey works.
    """

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(index=True)
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    handle: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_secret: Mapped[str | None]
    counter: Mapped[int] = mapped_column(server_default="0")
    host: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    last_used_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


def factor_rules(table: str) -> tuple[CheckConstraint, Index]:
    """Each kind with what it is made of, and one app for each person."""
    return (
        CheckConstraint(
            "(kind = 'passkey' and handle is not null and public_key is not null and host <> '')"
            " or (kind = 'app' and sealed_secret is not null) or (kind = 'recovery' and handle is not null)",
            name="kind",
        ),
        Index(f"uq_{table}_app", "person_id", unique=True, postgresql_where=text("kind = 'app'")),
    )
