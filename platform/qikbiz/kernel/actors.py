"""Who is doing this: a user of the tenant, staff, or the system. Set by the wrapper, read by audit and history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from qikbiz.kernel.rights import Rights

ActorKind = Literal["user", "staff", "system", "anonymous"]


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts, as audit rows name it.

    `instruction` is what allows staff to act for a customer, in words; `grant` is the customer's grant that it names.
    `rights` are known in a request. Without them `roles.current.current_rights` finds out what a user may do now.
    """

    kind: ActorKind
    id: UUID | None = None
    name: str = ""
    instruction: str | None = None
    request_id: str = ""
    rights: Rights | None = None
    grant: UUID | None = None


def kind_of(kept: str) -> ActorKind:
    """The kind that a row names; what is neither a user nor staff is the system."""
    return "user" if kept == "user" else "staff" if kept == "staff" else "system"


SYSTEM = Actor("system", name="QikBiz")
ANONYMOUS = Actor("anonymous")
_actor: ContextVar[Actor] = ContextVar("qikbiz_actor", default=SYSTEM)


def current_actor() -> Actor:
    return _actor.get()


@contextmanager
def acting_as(actor: Actor) -> Iterator[Actor]:
    """Everything audited inside the block is done by `actor`."""
    token = _actor.set(actor)
    try:
        yield actor
    finally:
        _actor.reset(token)
