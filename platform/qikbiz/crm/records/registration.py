"""What this package does for the pages of roles."""

from __future__ import annotations

from qikbiz.crm.records.field_access import rulable_fields
from qikbiz.crm.records.types import BY_SINGULAR
from qikbiz.identity.roles.record_types import RULED_TYPE, RuledField, RuledType


def register() -> None:
    RULED_TYPE.register(_ruled_type)


def _ruled_type(name: str) -> RuledType:
    declared = BY_SINGULAR[name]
    return RuledType(
        name=name,
        plural_label=declared.plural_label,
        fields=tuple(RuledField(field.name, field.label) for field in rulable_fields(declared)),
        labels={field.name: field.label for field in declared.fields},
    )
