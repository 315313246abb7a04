"""Fields and computed columns that most record types have alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qikbiz.crm.schema.field import Field
from qikbiz.crm.schema.kinds import Choice, Country, LongText, Owner, PostalCode, RecordId, Tags, Text, Timestamp
from qikbiz.crm.schema.normalize import fold, merge_entries

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
    Owner("owner_id", "Owner", "Sales details", is_filterable=True, in_list=True),
    Choice(
        "lead_source",
        "Source",
        "Sales details",
        max_length=100,
        choices=SOURCES,
        is_open=True,
        is_filterable=True,
    ),
    Tags("tags", "Tags", "Sales details", "Separated by commas.", is_filterable=True, in_list=True),
)
SYSTEM = (
    LongText("description", "Description", "Notes", max_length=20_000, is_listable=False),
    Text("external_id", "External ID", section="Notes", help="The ID of this record in another program."),
    RecordId("id", "Record ID", is_editable=False, is_listable=False),
    Timestamp(
        "created_at",
        "Created",
        is_importable=False,
        is_editable=False,
        is_filterable=True,
        is_sortable=True,
    ),
    Timestamp(
        "updated_at",
        "Updated",
        is_importable=False,
        is_editable=False,
        is_filterable=True,
        is_sortable=True,
        in_list=True,
    ),
)


def address_fields(prefix: str = "") -> tuple[Field, ...]:
    """Street to country, each name with `prefix` before it."""
    section = "Address"
    return (
        Text(f"{prefix}street", "Street", section=section, autocomplete="street-address", is_listable=False),
        Text(f"{prefix}street2", "Street line 2", section=section, is_listable=False),
        PostalCode(f"{prefix}postal_code", "Postal code", section=section, max_length=20, country=f"{prefix}country"),
        Text(f"{prefix}city", "City", section=section, max_length=100, is_filterable=True),
        Text(f"{prefix}state", "State or region", section=section, max_length=100),
        Country(f"{prefix}country", "Country", section, is_filterable=True),
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
