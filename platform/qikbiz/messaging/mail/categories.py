"""Every category of mail, and to which each template belongs (promises P17 and P18). The only table of both.

A category that can be switched off is asked about when the mail leaves; the others say why they can't be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from qikbiz.kernel.feature import Feature, derived

# How a user gets the mails of a category: each at once, once a day, in the app only, or not at all.
Choice = Literal["on", "daily", "app", "off"]
NOTIFICATIONS = "notifications."
DIGEST = "notifications.digest"


@dataclass(frozen=True, slots=True)
class MailCategory:
    """`because` is said on the page and in the mails: why it can't be switched off, or why we recommend to stay in."""

    key: str
    name: str
    description: str
    because: str
    can_be_off: bool = True

    @property
    def is_notification(self) -> bool:
        return self.key.startswith(NOTIFICATIONS)

    @property
    def choices(self) -> tuple[Choice, ...]:
        if not self.can_be_off:
            return ("on",)
        return ("on", "daily", "app", "off") if self.is_notification else ("on", "off")

    @property
    def list_label(self) -> str:
        """The first part of its List-Id (RFC 2919): `assigned.notifications`."""
        return ".".join(part.replace("_", "-") for part in reversed(self.key.split(".")))


LOCKED = (
    MailCategory(
        "security",
        "Security",
        "Invitations, password links, sign-ins from new devices, exports of your organisation's data.",
        "an intruder could otherwise switch off the warning",
        can_be_off=False,
    ),
    MailCategory(
        "billing",
        "Billing",
        "Quotes, invoices and payments.",
        "a quote or an invoice has consequences even if you don't read it",
        can_be_off=False,
    ),
    MailCategory(
        "legal",
        "Legal notices",
        "Changes to the privacy statement and the terms, access by our staff, the end of a contract.",
        "we must notify you of changes to your rights before they take effect",
        can_be_off=False,
    ),
    MailCategory(
        "answers",
        "Answers",
        "Replies to your requests, and tests that you sent to yourself.",
        "you get them only when you asked for them",
        can_be_off=False,
    ),
)
NEWS = (
    MailCategory(
        "updates",
        "Product updates",
        "New features, removals and planned downtime.",
        "Recommended, since downtime and changes to security features are announced here.",
    ),
    MailCategory(
        "improvements",
        "Improvements",
        "Small improvements and tips.",
        "Recommended. A few emails a year.",
    ),
)
KINDS = (
    MailCategory(
        NOTIFICATIONS + "assigned",
        "Assigned to you",
        "A colleague assigned a record to you.",
        "Recommended, since your colleagues expect you to see it.",
    ),
    MailCategory(
        NOTIFICATIONS + "mentioned",
        "Mentioned",
        "A colleague mentioned you with @ in a description.",
        "Recommended, since colleagues use it to ask you questions.",
    ),
    MailCategory(
        NOTIFICATIONS + "import_ready",
        "Import ready",
        "An import you started is done.",
        "Also shown in the app.",
    ),
    MailCategory(
        NOTIFICATIONS + "export_ready",
        "Export ready",
        "An export you requested is ready or failed.",
        "Recommended, since the file is kept for seven days only.",
    ),
    MailCategory(
        NOTIFICATIONS + "grant_used",
        "Support access used",
        "QikBiz staff used access that your organisation granted. For administrators.",
        "Recommended for security. The email at the start of each support session is always sent.",
    ),
)
# Chosen by choosing "once a day" for a kind, so it has no row of its own on the page.
DAILY = MailCategory(
    DIGEST,
    "Daily digest",
    "Your notifications since yesterday in one email at 8:00.",
    "Recommended. At most one email a day.",
)
CATEGORIES: dict[str, MailCategory] = {one.key: one for one in (*LOCKED, *NEWS, *KINDS, DAILY)}
CHOOSABLE: tuple[MailCategory, ...] = (*NEWS, *KINDS)


@derived
def categories_of_templates(features: tuple[Feature, ...]) -> dict[str, str]:
    """The category of every template that is sent. Raises ValueError for one that two features send, or without one."""
    sent = [pair for feature in features for pair in feature.emails.items()]
    found = dict(sent)
    if len(found) < len(sent) or not CATEGORIES.keys() >= set(found.values()):
        raise ValueError("An email's template is sent by two features, or its category does not exist.")
    return found


def category_named(key: str) -> MailCategory:
    """Raises KeyError."""
    return CATEGORIES[key]


def category_of(template: str, claimed: str = "") -> MailCategory:
    """The category of a template. Raises ValueError when it has none, or `claimed` is another one.

    A caller may claim `notification` for any kind of notification.
    """
    found = CATEGORIES.get(categories_of_templates().get(template, ""))
    if found is None:
        raise ValueError(f"The email {template!r} belongs to no category: add it to messaging/mail/categories.py.")
    if claimed and claimed != found.key and not (claimed == "notification" and found.is_notification):
        raise ValueError(f"The email {template!r} belongs to {found.key}, not to {claimed}.")
    return found


def daily_kinds(choices: dict[str, Choice]) -> Iterator[str]:
    """The kinds of notification that a user with these choices gets once a day."""
    return (one.key for one in KINDS if choices.get(one.key, "on") == "daily")
