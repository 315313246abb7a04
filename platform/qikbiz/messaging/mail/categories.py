"""Every category of mail, and to which each template belongs (promises P17 and P18). The only table of both.

A category that can be switched off is asked about when the mail leaves; the others say why they can't be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from qikbiz.kernel.feature import Feature, derived

# How somebody gets the mails of a category: each at once, once a day, in the app only, or not at all.
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
        "Invitations, links for a new password, logins from a new device, exports of your organisation's data.",
        "somebody who has broken into your login could otherwise keep the warning from you",
        can_be_off=False,
    ),
    MailCategory(
        "billing",
        "Billing",
        "Quotes, invoices and what follows from them.",
        "a quote or an invoice has consequences, whether it was read or not",
        can_be_off=False,
    ),
    MailCategory(
        "legal",
        "Legal notices",
        "Changes of the privacy statement and of the terms, access of our staff, the end of a contract.",
        "we have to tell you about changes of your rights before they take effect",
        can_be_off=False,
    ),
    MailCategory(
        "answers",
        "Answers",
        "What you asked us for: a reply to your question, a test that you sent to yourself.",
        "you get one only after you asked for it",
        can_be_off=False,
    ),
)
NEWS = (
    MailCategory(
        "updates",
        "Product updates",
        "What is new, what goes away, and planned interruptions of the service.",
        "We recommend to stay subscribed: interruptions and changes of security-relevant functions are announced here.",
    ),
    MailCategory(
        "improvements",
        "Improvements",
        "Smaller improvements, and how to get more out of what is there.",
        "We recommend to stay subscribed: a few mails a year, and each saves more time than it takes to read.",
    ),
)
KINDS = (
    MailCategory(
        NOTIFICATIONS + "assigned",
        "Assigned to you",
        "Somebody made you the owner of a record.",
        "We recommend to keep it: whoever gave you a record expects that you know.",
    ),
    MailCategory(
        NOTIFICATIONS + "mentioned",
        "Mentioned",
        "Somebody wrote @ and your name in a description.",
        "We recommend to keep it: it is how colleagues ask you something.",
    ),
    MailCategory(
        NOTIFICATIONS + "import_ready",
        "Import ready",
        "An import that you started is done.",
        "The app shows it too, so the mail can be missed.",
    ),
    MailCategory(
        NOTIFICATIONS + "export_ready",
        "Export ready",
        "An export that you asked for is ready, or could not be made.",
        "We recommend to keep it: the file is kept for seven days only.",
    ),
    MailCategory(
        NOTIFICATIONS + "grant_used",
        "Access of our support used",
        "Our staff used the access that your organisation gave them. Tells administrators.",
        "We recommend to keep it, since it is security-relevant. The mail at the entry itself is sent in any case.",
    ),
)
# Chosen by choosing "once a day" for a kind, so it has no row of its own on the page.
DAILY = MailCategory(
    DIGEST,
    "Daily digest",
    "What happened since yesterday, in one mail at eight in the morning.",
    "We recommend to keep it: one mail a day, and none when nothing happened.",
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
        raise ValueError(f"The mail {template!r} belongs to no category: add it to messaging/mail/categories.py.")
    if claimed and claimed != found.key and not (claimed == "notification" and found.is_notification):
        raise ValueError(f"The mail {template!r} belongs to {found.key}, not to {claimed}.")
    return found


def daily_kinds(choices: dict[str, Choice]) -> Iterator[str]:
    """The kinds of notification that somebody with these choices gets once a day."""
    return (one.key for one in KINDS if choices.get(one.key, "on") == "daily")
