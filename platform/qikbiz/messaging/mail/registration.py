"""What this package does for the packages below."""

from __future__ import annotations

from qikbiz.identity.outgoing_email import OUTGOING_EMAIL, OutgoingEmail
from qikbiz.messaging.mail.actions import send, send_platform
from qikbiz.messaging.mail.reachability import unreachable_reason


def register() -> None:
    OUTGOING_EMAIL.register(OutgoingEmail(send, send_platform, unreachable_reason))
