"""The columns of a spreadsheet export, as SQL, so that a million rows need no Python each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from psycopg import sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Boolean, Date, DateTime, Numeric, Text, TypeEngine, Uuid
from sqlalchemy.types import Integer as SomeInteger

from qikbiz.crm.schema.field import Field
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.transfer.exports.catalogue import ExportedTable
from qikbiz.transfer.exports.formula_escape import APOSTROPHE, FIRST_CHARACTERS

_UNREAD = frozenset({"version", "sort_name", "other_emails", "created_by_import", "deleted_at", "deleted_by"})
_PEOPLE = frozenset({"owner_id", "created_by", "updated_by"})
_LABELS = {"owner_id": "Owner", "created_by": "Created by", "updated_by": "Changed by", "id": "Record id"}


@dataclass(frozen=True)
class SpreadsheetColumn:
    name: str
    heading: str
    expression: sql.Composable


def columns_of(
    table: ExportedTable,
    chosen: tuple[str, ...],
    zone: ZoneInfo,
    gone: frozenset[str],
    written: Callable[[str], sql.Composable],
) -> list[SpreadsheetColumn]:
    """The chosen columns, or all that people read, in the order in which pages show them, without those `gone`.

    `written` gives a column as SQL.
    """
    names = [name for name in _in_reading_order(table) if name in chosen or (not chosen and name not in _UNREAD)]
    return [
        SpreadsheetColumn(name, _heading(table, name), _readable(table, name, zone, written(name)))
        for name in names
        if name not in gone
    ]


def _in_reading_order(table: ExportedTable) -> list[str]:
    fields = [name for field in RECORD_TYPES[table.name].exportable() for name in field.written_columns]
    first = [name for name in dict.fromkeys(fields) if name in table.columns]
    return [*first, *(name for name in table.columns if name not in first)]


def _heading(table: ExportedTable, name: str) -> str:
    field = _field_of(table, name)
    if field is not None:
        return field.label
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def _field_of(table: ExportedTable, name: str) -> Field | None:
    declared = RECORD_TYPES[table.name]
    return declared.field(name) if declared.has_field(name) else None


def _readable(table: ExportedTable, name: str, zone: ZoneInfo, column: sql.Composable) -> sql.Composable:
    if name in _PEOPLE:
        return _safe_once(sql.SQL("(SELECT u.name FROM users AS u WHERE u.id = {})").format(column))
    field = _field_of(table, name)
    if field is not None and (shown := field.export_sql(column)) is not None:
        return _safe_once(shown)
    return _by_type(column, table.column(name).type, zone)


def _by_type(column: sql.Composable, kind: TypeEngine[object], zone: ZoneInfo) -> sql.Composable:
    match kind:
        case Numeric() | SomeInteger() | Date() | Uuid():
            # Typed by the schema, so a minus sign is a minus sign.
            return column
        case DateTime():
            shown = sql.SQL("to_char({} AT TIME ZONE {}, 'YYYY-MM-DD HH24:MI:SS')")
            return shown.format(column, sql.Literal(zone.key))
        case Boolean():
            return sql.SQL("CASE WHEN {0} THEN 'yes' WHEN NOT {0} THEN 'no' END").format(column)
        case ARRAY():
            return _safe_once(sql.SQL("array_to_string({}, ', ')").format(column))
        case JSONB():
            return _safe_once(sql.SQL("{}::text").format(column))
        case Text():
            return _safe(column)
    raise TypeError(f"A spreadsheet has no way yet to show a {kind!r}.")


def _safe(text: sql.Composable) -> sql.Composable:
    escaped = sql.SQL(
        "CASE WHEN strpos({first}, left({text}, 1)) > 0 AND {text} <> '' THEN {mark} || {text} ELSE {text} END"
    )
    return escaped.format(first=sql.Literal(FIRST_CHARACTERS + APOSTROPHE), text=text, mark=sql.Literal(APOSTROPHE))


def _safe_once(text: sql.Composable) -> sql.Composable:
    # Names `text` once, for what is dear to compute; for a plain column CASE is quicker than a pattern.
    begins = sql.Literal("^([" + (FIRST_CHARACTERS + APOSTROPHE).replace("-", "\\-") + "])")
    return sql.SQL("regexp_replace({}, {}, {})").format(text, begins, sql.Literal(APOSTROPHE + "\\1"))
