"""What a list is filtered by, in words, each with the address without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode
from uuid import UUID

from qikbiz.crm.records.filters import Filter, filters_from
from qikbiz.crm.records.links import linked_name
from qikbiz.crm.schema.field import Showing
from qikbiz.crm.schema.record_type import RecordType

Arguments = Mapping[str, Sequence[str]]
_PAGE = frozenset({"after", "before"})


def chips(
    record_type: RecordType, arguments: Arguments, path: str, people: Mapping[UUID, str]
) -> list[tuple[str, str]]:
    """(what is filtered, the address without it)."""
    showing = Showing(people, linked_name)
    return [
        (
            filter_.field.condition_words(filter_.text, filter_.parameter, showing),
            address(path, arguments, without=filter_),
        )
        for filter_ in filters_from(record_type, arguments)
    ]


def address(path: str, arguments: Arguments, *, without: Filter | None = None, **changed: str) -> str:
    """The address of this list without one filter and always from its first page; `changed` replaces parameters."""
    pairs = [
        (name, text)
        for name, texts in arguments.items()
        if name not in _PAGE and name not in changed
        for text in texts
        if text and not (without and name == without.parameter and text.strip() == without.text)
    ]
    query = urlencode(pairs + [(name, text) for name, text in changed.items() if text])
    return f"{path}?{query}" if query else path
