"""What the pages of roles show of the record types. The types are above, and register how to find it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qikbiz.kernel.registration import Registration


@dataclass(frozen=True, slots=True)
class RuledField:
    """A field that a role can hide or lock."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class RuledType:
    """`labels` are those of all fields by name, `fields` those that a role can rule."""

    name: str
    plural_label: str
    fields: tuple[RuledField, ...]
    labels: dict[str, str]


RULED_TYPES: Registration[Callable[[], list[RuledType]]] = Registration("the record types that roles rule")


def ruled_types() -> list[RuledType]:
    """In the order in which they are registered with the records."""
    return RULED_TYPES.value()
