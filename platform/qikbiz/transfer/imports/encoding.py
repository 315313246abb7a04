"""Staged rows as PostgreSQL's COPY reads them (text format), and back again from the staged text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Boolean, Date, Numeric, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.type_api import TypeEngine

_SPECIAL = re.compile(r'[\\\t\n\r"]')
_IN_COPY = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
# Inside an array element quotes and backslashes are escaped once more before COPY's own escape.
_IN_ARRAY = str.maketrans({"\\": "\\\\\\\\", '"': '\\\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r"})

# Neither can occur in a value: control characters are refused before.
_BETWEEN, _NULL = "\x1e", "\x00"
_QUOTED_NULL = f'"{_NULL}"'


def staged_text(value: object) -> str | None:
    """A value as it stands in a staged row; None for nothing, also for an empty list."""
    if value is None or value == []:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def copy_field(text: str | None) -> str:
    if text is None:
        return "\\N"
    return text.translate(_IN_COPY) if _SPECIAL.search(text) else text


def copy_array(elements: list[str | None]) -> str:
    """An array of text, as one field of a COPY line."""
    joined = _BETWEEN.join([_NULL if e is None else e for e in elements])
    if not _SPECIAL.search(joined):
        return ('{"' + joined.replace(_BETWEEN, '","') + '"}').replace(_QUOTED_NULL, "NULL")
    return "{" + ",".join(["NULL" if e is None else f'"{e.translate(_IN_ARRAY)}"' for e in elements]) + "}"


def typed(column_type: TypeEngine[Any], text: str | None) -> Any:
    """The staged text as the value that the record's column holds in Python."""
    if text is None:
        return [] if isinstance(column_type, ARRAY | JSONB) else None
    for kind, read in _READERS:
        if isinstance(column_type, kind):
            return read(text)
    return text


def sql_value(column_type: TypeEngine[object], staged: str) -> str:
    """SQL that turns the staged text `staged` into the column's value."""
    if isinstance(column_type, JSONB):
        return f"coalesce({staged}::jsonb, '[]'::jsonb)"
    if isinstance(column_type, ARRAY):
        listed = f"ARRAY(SELECT jsonb_array_elements_text({staged}::jsonb))"
        return f"CASE WHEN {staged} IS NULL THEN '{{}}'::text[] ELSE {listed} END"
    if isinstance(column_type, Boolean):
        return f"coalesce({staged}::boolean, false)"
    for kind, name in ((Uuid, "uuid"), (Date, "date"), (Numeric, "numeric"), (BigInteger, "bigint")):
        if isinstance(column_type, kind):
            return f"{staged}::{name}"
    return staged


_READERS: tuple[tuple[type[TypeEngine[Any]], Callable[[str], Any]], ...] = (
    (JSONB, json.loads),
    (ARRAY, json.loads),
    (Boolean, lambda text: text == "t"),
    (Date, date.fromisoformat),
    (Numeric, Decimal),
    (BigInteger, int),
    (Uuid, UUID),
)
