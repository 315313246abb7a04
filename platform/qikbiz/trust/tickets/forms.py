"""The forms that questions come in. What is wrong is said beside what was typed."""

from __future__ import annotations

from qikbiz.kernel.errors import Failure, TooMany
from qikbiz.messaging.mail.addresses import clean_name, deliverable
from qikbiz.trust.tickets.texts import LONGEST_SUBJECT, TOPICS, body_from, subject_from
from qikbiz.web.forms import OwnForm, Text, checked_by


def _topic_from(text: str | None) -> str:
    return text if text in TOPICS else "question"


def _check_name(name: str) -> None:
    if not name:
        raise Failure("Enter your name.")


class TopicForm(OwnForm):
    topic = Text("Topic", filters=[_topic_from])
    subject = Text("Subject", [checked_by(subject_from)], filters=[lambda text: (text or "")[:LONGEST_SUBJECT]])


class HelpForm(TopicForm):
    """A question from inside the product; `once` stands for this one form."""

    body = Text("Message", [checked_by(body_from)])
    once = Text()


class ReplyForm(OwnForm):
    body = Text("Reply")


class OpenForm(OwnForm):
    """What anyone may send. The last two fields keep machines out; see `spam_protection`."""

    status = 422
    email = Text("Email", [checked_by(deliverable)], filters=[lambda text: (text or "").strip()[:254]])
    body = Text("Message", [checked_by(body_from)])
    website = Text()
    opened = Text()

    def refuse(self, failure: Failure) -> None:
        self.form_errors.append(failure.text or "Too many requests. Wait a while and send it again.")
        if isinstance(failure, TooMany):
            self.status = failure.status


class ContactForm(OpenForm, TopicForm):
    name = Text("Your name", [checked_by(_check_name)], filters=[lambda text: clean_name(text or "")])


class AppealForm(OpenForm):
    """On the page of a blocked address."""
