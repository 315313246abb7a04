"""What a list is filtered by, in words, each with the address without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode
from uuid import UUID

from qikbiz.crm.records.fields import FieldKind, RecordType
from qikbiz.crm.records.filters import ME, NOBODY, Filter, filters_from
from qikbiz.crm.records.links import linked_name
from qikbiz.crm.records.normalize import countries

Arguments = Mapping[str, Sequence[str]]
_PAGE = frozenset({"after", "before"})


def chips(
    record_type: RecordType, arguments: Arguments, path: str, people: Mapping[UUID, str]
) -> list[tuple[str, str]]:
    """(what is filtered, the address without it)."""
    return [
        (_words(filter_, people), address(path, arguments, without=filter_))
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


def _words(filter_: Filter, people: Mapping[UUID, str]) -> str:  # noqa: PLR0911 - one line for each kind
    field, text = filter_.field, filter_.text
    if field.references:
        return f"{field.label} is {linked_name(field.references, UUID(text)) or 'gone'}"
    match field.kind:
        case FieldKind.OWNER:
            return f"{field.label} is {_person(text, people)}"
        case FieldKind.EMAIL | FieldKind.PHONE:
            return f"{'With' if text == 'yes' else 'Without'} {field.label.lower()}"
        case FieldKind.TIMESTAMP:
            return f"{field.label} {'from' if filter_.end == 'from' else 'up to'} {text}"
        case FieldKind.TAGS:
            return f"Tag is {text}"
        case FieldKind.COUNTRY:
            return f"{field.label} is {countries().get(text, text)}"
        case FieldKind.CHOICE | FieldKind.BOOLEAN:
            return f"{field.label} is {text}"
    return f"{field.label} has “{text}”"


def _person(text: str, people: Mapping[UUID, str]) -> str:
    if text in (ME, NOBODY):
        return text
    return people.get(UUID(text), "an unknown user")
