"""Reading the forms that questions come in. What is wrong is said beside what was typed."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import request

from qikbiz.kernel.errors import Failure
from qikbiz.messaging.mail.addresses import clean_name, deliverable
from qikbiz.trust.tickets.texts import LONGEST_SUBJECT, TOPICS, body_from, subject_from


@dataclass
class Typed:
    """What somebody typed, and what is wrong with it by field; "" is about the form as a whole."""

    name: str = ""
    email: str = ""
    topic: str = "question"
    subject: str = ""
    body: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def from_form(cls) -> Typed:
        form = request.form
        topic = form.get("topic", "question")
        return cls(
            name=clean_name(form.get("name", "")),
            email=form.get("email", "").strip()[:254],
            topic=topic if topic in TOPICS else "question",
            subject=form.get("subject", "")[:LONGEST_SUBJECT],
            body=form.get("body", ""),
        )

    def check(self, *fields: str) -> bool:
        """Whether these fields can be taken."""
        judges = {"name": self._check_name, "email": deliverable, "subject": subject_from, "body": body_from}
        for name in fields:
            try:
                judges[name](getattr(self, name))
            except Failure as failure:
                self.errors[name] = [failure.text]
        return not self.errors

    def refuse(self, failure: Failure) -> None:
        self.errors.setdefault("", []).append(failure.text or "Too many requests. Wait a while and send it again.")

    @staticmethod
    def _check_name(name: str) -> None:
        if not name:
            raise Failure("Enter your name.")
