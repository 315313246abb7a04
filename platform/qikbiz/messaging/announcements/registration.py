"""What announcements register with the emails that they are sent by."""

from __future__ import annotations

from qikbiz.messaging.announcements.counting import count_tenant
from qikbiz.messaging.announcements.sending import words_of
from qikbiz.messaging.mail.announcement_hooks import AFTER_SENDING, WORDS


def register() -> None:
    WORDS.register(words_of)
    AFTER_SENDING.register(count_tenant)
