"""Several e-mail addresses with labels, the primary one first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from qikbiz.crm.schema.kinds.email import mail_link, quick_email
from qikbiz.crm.schema.kinds.labelled import LabelledList


@dataclass(frozen=True)
class Emails(LabelledList):
    kind: ClassVar[str] = "emails"
    input_type: ClassVar[str] = "email"
    part: ClassVar[str] = "address"
    labels: ClassVar[tuple[str, ...]] = ("work", "home", "other")

    def entry_in_region(self, text: str, region: str) -> str:
        return quick_email(text)

    def entry_href(self, entry: Mapping[str, str]) -> str:
        return mail_link(entry[self.part])
