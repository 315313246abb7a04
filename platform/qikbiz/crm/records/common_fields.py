"""Fields and computed columns that contacts and companies have alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qikbiz.crm.records.fields import Field, FieldKind
from qikbiz.crm.records.normalize import fold, merge_entries

SOURCES = (
    "Call",
    "Email",
    "Existing customer",
    "Partner",
    "Public relations",
    "Website",
    "Campaign",
    "Event",
    "Referral",
    "Other",
)
OWNERSHIP = (
    Field("owner_id", "Owner", FieldKind.OWNER, "Sales details", is_filterable=True, in_list=True),
    Field(
        "lead_source",
        "Source",
        FieldKind.CHOICE,
        "Sales details",
        max_length=100,
        choices=SOURCES,
        is_open=True,
        is_filterable=True,
    ),
    Field("tags", "Tags", FieldKind.TAGS, "Sales details", "Separated by commas.", is_filterable=True, in_list=True),
)
SYSTEM = (
    Field("description", "Description", FieldKind.LONG_TEXT, "Notes", max_length=20_000, is_listable=False),
    Field("external_id", "External ID", section="Notes", help="The ID of this record in another program."),
    Field("id", "Record ID", FieldKind.ID, is_editable=False, is_listable=False),
    Field(
        "created_at",
        "Created",
        FieldKind.TIMESTAMP,
        is_importable=False,
        is_editable=False,
        is_filterable=True,
        is_sortable=True,
    ),
    Field(
        "updated_at",
        "Updated",
        FieldKind.TIMESTAMP,
        is_importable=False,
        is_editable=False,
        is_filterable=True,
        is_sortable=True,
        in_list=True,
    ),
)


def address_fields(prefix: str = "") -> tuple[Field, ...]:
    """Street to country. In `contacts` the columns have no prefix, in `companies` it is `billing_`."""
    section = "Address"
    return (
        Field(f"{prefix}street", "Street", section=section, autocomplete="street-address", is_listable=False),
        Field(f"{prefix}street2", "Street line 2", section=section, is_listable=False),
        Field(f"{prefix}postal_code", "Postal code", section=section, max_length=20),
        Field(f"{prefix}city", "City", section=section, max_length=100, is_filterable=True),
        Field(f"{prefix}state", "State or region", section=section, max_length=100),
        Field(f"{prefix}country", "Country", FieldKind.COUNTRY, section, is_filterable=True),
    )


def joined_list(single: str, several: str, key: str, given: Mapping[str, Any], before: Mapping[str, Any]) -> list[Any]:
    """The list of addresses or numbers after `given` is written over `before`, the primary one first."""
    if several in given:
        return merge_entries(given.get(single), given[several] or [], key)
    kept: list[Any] = before.get(several) or []
    if single not in given or given[single] == before.get(single):
        return kept
    return merge_entries(given[single], kept[1:], key)


def sort_name(*candidates: str | None) -> str:
    """The first that is not empty, folded for ordering."""
    return next((fold(candidate) for candidate in candidates if candidate), "")
