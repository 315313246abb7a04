"""The links that stop a category of mails without a login (RFC 8058), and the headers that mail programs read.

A link is sealed over the person and the category, bound to the tenant, and has no end: a mail is read years later.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.policy import Policy
from typing import Self
from uuid import UUID

from config.keys import KeyRing, SealBroken
from config.settings import Settings
from qikbiz.kernel.errors import Forbidden
from qikbiz.messaging.mail.categories import CATEGORIES, MailCategory
from tenants.context import Tenant

ONE_CLICK = ("List-Unsubscribe", "One-Click")
_PURPOSE = "unsubscribe"
_ID_BYTES = 16


class BrokenLink(Forbidden):
    """The link to stop mails is not one of ours, was changed on its way, or is of a user who is not here."""

    key = "broken_link"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a link stops."""

    user_id: UUID
    category: MailCategory


class WholeLine(str):
    """A header that is never folded: a folded address is one that no mail program can open."""

    name: str

    @classmethod
    def of(cls, name: str, value: str) -> Self:
        line = cls(value)
        line.name = name
        return line

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def unsubscribe_token(keys: KeyRing, tenant: Tenant, user_id: UUID, category: MailCategory) -> str:
    return keys.seal(_PURPOSE, user_id.bytes + category.key.encode(), bound_to=str(tenant.id))


def opened_token(keys: KeyRing, tenant: Tenant, token: str) -> Subscription:
    """Raises BrokenLink for anything but an unchanged link of this tenant."""
    try:
        plaintext = keys.open(_PURPOSE, token, bound_to=str(tenant.id)).plaintext
        category = CATEGORIES[plaintext[_ID_BYTES:].decode()]
        found = Subscription(UUID(bytes=plaintext[:_ID_BYTES]), category)
    except (SealBroken, KeyError, ValueError) as error:
        raise BrokenLink from error
    if not category.can_be_off:
        raise BrokenLink
    return found


def unsubscribe_url(settings: Settings, tenant: Tenant, user_id: UUID, category: MailCategory) -> str:
    token = unsubscribe_token(settings.keys, tenant, user_id, category)
    return f"{settings.origin(tenant.host)}/unsubscribe/{token}"


def list_headers(tenant: Tenant, category: MailCategory, url: str) -> list[WholeLine]:
    """List-Id, List-Unsubscribe and List-Unsubscribe-Post of a mail that can be stopped at `url`."""
    return [
        WholeLine.of("List-Id", f"{category.name} <{category.list_label}.{tenant.host}>"),
        WholeLine.of("List-Unsubscribe", f"<{url}>"),
        WholeLine.of("List-Unsubscribe-Post", "=".join(ONE_CLICK)),
    ]
