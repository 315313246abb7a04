"""Which version of the statement stands, and which is announced."""

from __future__ import annotations

from qikbiz.privacy.files import founding_statement
from qikbiz.privacy.text import StatementText


def text_in_force() -> StatementText:
    return founding_statement().text
