"""What `current_user` is: a person known from the session's record, or a visitor nobody knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from qikbiz.kernel import clock
from qikbiz.kernel.permissions import AnyPermission, Role, permission_named
from qikbiz.kernel.rights import NOTHING, Rights


@dataclass(frozen=True, slots=True)
class Preview:
    """As whom a user is viewing, until when, and what they see until then."""

    name: str
    until: datetime
    rights: Rights


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user, with a snapshot of the login that is renewed the moment it changes.

    `roles` are keys, `role` what they are called, and `rights` what they allow together: or, during a `preview`
    (`Preview`), what the one looked at may see.

    `session_key` is the HMAC of the session's id under the newest key, `form_key` what form tokens are bound to, and
    `fresh_until` says how long the password needn't be asked again. `has_new_token` means that the browser was sent a
    new token of its remembered device and has not shown it yet. `networks` are those that this session may be used
    from; none means all. `withheld` is what nobody of this organisation has for the time being, whatever their rights.
    """

    kind: Literal["user", "staff"]
    id: UUID
    name: str
    email: str
    role: str
    session_key: bytes
    fresh_until: datetime | None
    time_zone: str = ""
    preferences: dict[str, object] = field(default_factory=dict)
    is_remembered: bool = False
    has_new_token: bool = False
    form_key: bytes = b""
    roles: tuple[str, ...] = ()
    rights: Rights = NOTHING
    networks: tuple[str, ...] = ()
    preview: Preview | None = None
    withheld: frozenset[AnyPermission] = frozenset()

    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def inside(self) -> object:
        """How staff came in by a customer's grant (qikbiz.trust.grants.support_sessions); None for everybody else."""
        return None

    @property
    def is_fresh(self) -> bool:
        return self.fresh_until is not None and clock.now() < self.fresh_until

    def can(self, permission: str) -> bool:
        return permission not in self.withheld and self.rights.can(permission_named(permission))

    @property
    def is_administrator(self) -> bool:
        return Role.ADMINISTRATOR in self.roles

    def get_id(self) -> str:
        """Flask-Login's name for the session; never the row's id, which another tenant may have too."""
        return self.session_key.hex()


class Anonymous:
    """Nobody in particular."""

    id = None
    name = ""
    email = ""
    role = ""
    roles = ()
    networks = ()
    rights = NOTHING
    preview = None
    time_zone = ""
    session_key = b""
    is_authenticated = False
    is_active = False
    is_anonymous = True
    is_fresh = False
    is_remembered = False
    is_administrator = False
    inside = None

    @property
    def preferences(self) -> dict[str, object]:
        return {}

    def can(self, _permission: str) -> bool:
        return False

    def get_id(self) -> None:
        return None


# What `current_user` is.
CurrentUser = Principal | Anonymous
