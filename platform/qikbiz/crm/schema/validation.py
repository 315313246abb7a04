"""What is wrong with a value, in words for the person who typed it or whose file holds it."""

from __future__ import annotations


class FieldProblem(ValueError):
    """`reason` says what is wrong, `how_to_fix` what would be right; both are whole sentences."""

    def __init__(self, reason: str, how_to_fix: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.how_to_fix = how_to_fix

    def __str__(self) -> str:
        return f"{self.reason} {self.how_to_fix}".strip()
