"""The front door: which host, which person, which right; then one room answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qikbiz.web.application import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    # The application knows every room, and rooms use modules of this package: imported eagerly, that is a circle.
    if name != "create_app":
        raise AttributeError(name)
    from qikbiz.web.application import create_app  # noqa: PLC0415  # see above

    return create_app
