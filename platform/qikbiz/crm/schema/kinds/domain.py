"""The domain of an organisation, without `www.`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

from qikbiz.crm.schema.field import Field, ParseLocale
from qikbiz.crm.schema.html import outward_link
from qikbiz.crm.schema.normalize import normalise_domain


@dataclass(frozen=True)
class Domain(Field):
    kind: ClassVar[str] = "domain"

    def read(self, text: str, locale: ParseLocale) -> str:
        return normalise_domain(text)

    def fact(self, record: object, text: str) -> Markup | str:
        return outward_link(f"https://{text}", text) if text else ""
