"""What this package does for the pages of roles."""

from __future__ import annotations

from qikbiz.crm.records.field_access import rulable_fields
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import BY_SINGULAR
from qikbiz.identity.roles.record_types import RULED_TYPES, RuledField, RuledType


def register() -> None:
    RULED_TYPES.register(lambda: [_ruled_type(declared) for declared in BY_SINGULAR.values()])


def _ruled_type(declared: RecordType) -> RuledType:
    return RuledType(
        name=declared.name,
        plural_label=declared.plural_label,
        fields=tuple(RuledField(field.name, field.label) for field in rulable_fields(declared)),
        labels={field.name: field.label for field in declared.fields},
    )
