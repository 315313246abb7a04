"""What a question may be: its topics, its size, and the plain text that is left of what was sent."""

from __future__ import annotations

import re
import unicodedata

from qikbiz.kernel.errors import Failure
from qikbiz.messaging.mail.message import clean_subject

TOPICS: dict[str, str] = {
    "question": "A question",
    "fault": "Something is not working",
    "export": "Export data for us",
    "import": "Import data for us",
    "privacy": "Privacy and rights",
    "billing": "Billing",
}
APPEAL = "appeal"
# What forms don't offer: these come about by themselves.
_OTHER_TOPICS = {APPEAL: "A blocked address", "access": "Something else"}
LONGEST_SUBJECT, LONGEST_BODY = 150, 10_000
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class BadQuestion(Failure):
    """What was written can't be taken; the text says why."""

    key = "bad_request"


def topic_label(topic: str) -> str:
    return (TOPICS | _OTHER_TOPICS).get(topic, TOPICS["question"])


def body_from(text: str, *, longest: int = LONGEST_BODY) -> str:
    """Lines of plain text without control characters. Raises BadQuestion for nothing or too much."""
    lines = [_line(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    if not body:
        raise BadQuestion("Enter a message.")
    if len(body) > longest:
        raise BadQuestion(f"The message has {len(body):,} characters; the maximum is {longest:,}.")
    return body


def subject_from(text: str) -> str:
    """One line: a line break in it would begin another header of a mail."""
    subject = clean_subject(_line(text))
    if not subject:
        raise BadQuestion("Enter a subject.")
    return subject


def _line(text: str) -> str:
    kept = "".join(c if unicodedata.category(c) not in ("Cc", "Cs") or c == "\t" else " " for c in text)
    return _TURNING.sub("", unicodedata.normalize("NFC", kept)).rstrip()
