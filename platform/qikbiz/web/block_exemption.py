"""A page that answers whoever comes from a blocked address too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def works_while_blocked(view: View) -> View:
    """Declare that the front door asks nobody's address before this view. It must have limits of its own."""
    view.works_while_blocked = True  # type: ignore[attr-defined]  # read back by the front door
    return view


def is_open_while_blocked(view: Callable[..., Any]) -> bool:
    return bool(getattr(view, "works_while_blocked", False))
