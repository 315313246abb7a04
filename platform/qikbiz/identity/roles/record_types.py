"""What the pages of roles show of the record types. The types are above, and register how to find it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qikbiz.kernel.registration import Registration
from qikbiz.kernel.rights import RECORD_TYPES


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


RULED_TYPE: Registration[Callable[[str], RuledType]] = Registration("the record types that roles rule")


def ruled_types() -> list[RuledType]:
    """In the order of `kernel.rights.RECORD_TYPES`."""
    return [RULED_TYPE.value(name) for name in RECORD_TYPES]
