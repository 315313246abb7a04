"""Emails that identity sends. The packages of emails are above, and register how one is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from qikbiz.kernel.registration import Registration


class SendEmail(Protocol):
    """Has one email sent if the transaction commits, once for each `dedupe_key`. Raises BadAddress (a Failure)."""

    def __call__(
        self,
        template: str,
        *,
        to_address: str,
        to_name: str = "",
        values: Mapping[str, object],
        category: str = "",
        dedupe_key: str,
    ) -> object: ...


@dataclass(frozen=True, slots=True)
class OutgoingEmail:
    """`send` is for a tenant's emails and `send_platform` for the platform's own.

    `unreachable_reason(address)` says in a sentence why no email of ours gets to a valid address; empty when it does.
    """

    send: SendEmail
    send_platform: SendEmail
    unreachable_reason: Callable[[str], str]


OUTGOING_EMAIL: Registration[OutgoingEmail] = Registration("how emails are sent")
