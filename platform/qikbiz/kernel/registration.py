"""What a lower package needs from a higher one: the lower declares a `Registration`, a hook of the higher fills it."""

from __future__ import annotations

from typing import Generic, TypeVar

from qikbiz.kernel.feature import NotInstalled

Value = TypeVar("Value")


class Registration(Generic[Value]):
    """One value, registered once for each process. `what` names it in errors."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._values: list[Value] = []

    def register(self, value: Value) -> None:
        """Raises RuntimeError for a second one."""
        if self._values:
            raise RuntimeError(f"Two features register {self._what}.")
        self._values.append(value)

    @property
    def value(self) -> Value:
        """Raises NotInstalled where none is registered."""
        if not self._values:
            raise NotInstalled(f"No feature of this process registers {self._what}.")
        return self._values[0]
