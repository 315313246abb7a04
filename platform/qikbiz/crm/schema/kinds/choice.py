"""One of several words."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from qikbiz.crm.schema.field import (
    Control,
    Field,
    FilterControl,
    Options,
    ParseLocale,
    People,
)
from qikbiz.crm.schema.normalize import clean_text, fold
from qikbiz.crm.schema.validation import FieldProblem

_NO_LETTER = re.compile(r"[\W_]+")
# COMPUTER_SOFTWARE, as programs keep choices that people see as "Computer software".
_INTERNAL = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)+")


@dataclass(frozen=True)
class Choice(Field):
    """`choices` are the texts kept; with `is_open` any other text is allowed too.

    `aliases` are other programs' words for them.
    """

    choices: tuple[str, ...] = ()
    is_open: bool = False
    aliases: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)

    kind: ClassVar[str] = "choice"
    is_free_text: ClassVar[bool] = True
    filter_control: ClassVar[FilterControl] = "select"

    @property
    def control(self) -> Control:
        return "input" if self.is_open else "select"

    def read(self, text: str, locale: ParseLocale) -> str:
        written = clean_text(text)
        known = {choice_key(choice): choice for choice in self.choices}
        found = known.get(choice_key(written), written if self.is_open else None)
        if found is None:
            raise FieldProblem(f"“{written[:60]}” isn't a valid option.", f"Use one of: {', '.join(self.choices)}.")
        return found

    def translate(self, text: str) -> str:
        known = {choice_key(word): choice for word, choice in self.aliases.items()}.get(choice_key(text))
        if known is None and self.is_open and _INTERNAL.fullmatch(text.strip()):
            return text.strip().replace("_", " ").capitalize()
        return known or text

    def options(self, people: People) -> Options:
        return [(choice, choice) for choice in self.choices]


def choice_key(text: str) -> str:
    """How a choice is looked up: letters and digits alone, so that `marketingqualifiedlead` is found too."""
    return _NO_LETTER.sub("", fold(text)) or text
