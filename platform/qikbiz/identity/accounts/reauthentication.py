"""Some acts ask for the password again when it was given more than a quarter of an hour ago."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from qikbiz.kernel.errors import Forbidden

View = TypeVar("View", bound=Callable[..., Any])


class ConfirmationNeeded(Forbidden):
    """The password was given too long ago for this."""

    status, key = 403, "confirmation_needed"


def requires_fresh(view: View) -> View:
    """Declare that a route needs a password given lately; the front door asks for it before the view runs."""
    view.needs_fresh = True  # type: ignore[attr-defined]  # read back by `needs_fresh`
    return view


def needs_fresh(view: Callable[..., Any]) -> bool:
    return bool(getattr(view, "needs_fresh", False))
