"""Some acts ask for the password again when it was given more than a quarter of an hour ago."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from qikbiz.kernel.errors import Forbidden

View = TypeVar("View", bound=Callable[..., Any])


class ConfirmationNeeded(Forbidden):
    """The password was given too long ago for this."""

    status, key = 403, "confirmation_needed"
