"""The options of `qikbiz import` for cells that can't be read: --unreadable and --value."""

from __future__ import annotations

from collections.abc import Sequence

from qikbiz.crm.records.owners import colleague_by_email
from qikbiz.crm.schema.registry import record_type
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.kernel.errors import NotFound
from qikbiz.transfer.imports.cell_policy import POLICIES, CellPolicy, written_key
from qikbiz.transfer.imports.import_context import cell_policy_of
from qikbiz.transfer.imports.mapping import FULL_NAME, Mapping
from qikbiz.transfer.imports.models import Import


def policy_from_options(found: Import, unreadable: Sequence[str], values: Sequence[str]) -> CellPolicy:
    """From `skip`, `refuse`, `COLUMN=refuse` and `COLUMN:WRITTEN=VALUE`. Raises NotFound for what there isn't."""
    policy = cell_policy_of(found)
    policies, texts, default = dict(policy.policies), {p: dict(t) for p, t in policy.values.items()}, policy.default
    for word in unreadable:
        heading, _, chosen = word.rpartition("=")
        if chosen not in POLICIES:
            raise NotFound(f"--unreadable takes {' or '.join(POLICIES)}, not {word!r}.")
        if heading:
            policies[_place(found, heading)] = chosen
        else:
            default = chosen
    for word in values:
        written, _, value = word.rpartition("=")
        heading, colon, written = _split(found, written)
        if not colon or not value:
            raise NotFound(f"Write a value as COLUMN:WRITTEN=VALUE, such as 'Stage:hot=Opportunity', not {word!r}.")
        place = _place(found, heading)
        _refuse_unknown_value(found, place, value)
        texts.setdefault(place, {})[written_key(written)] = value
    return CellPolicy(policies, texts, default)


def _split(found: Import, words: str) -> tuple[str, str, str]:
    """At the colon behind a heading: headings may hold colons too."""
    for heading in sorted(found.header, key=len, reverse=True):
        if words.startswith(f"{heading}:"):
            return heading, ":", words[len(heading) + 1 :]
    return words.partition(":")


def _place(found: Import, heading: str) -> int:
    if heading not in found.header:
        raise NotFound(f"The file has no column “{heading}”. It has: {', '.join(found.header)}.")
    return found.header.index(heading)


def _refuse_unknown_value(found: Import, place: int, value: str) -> None:
    column = Mapping.from_json(found.mapping).column_of(place)
    kept = record_type(found.record_type)
    field = kept.field(column.field) if column and column.field != FULL_NAME else None
    if field is None or not field.has_options:
        raise NotFound(
            f"Values of “{found.header[place]}” can't be mapped: only choices, countries, owners, yes or no."
        )
    try:
        field.parse(value)
    except FieldProblem as problem:
        raise NotFound(f"{found.header[place]}: {problem}") from None
    if field.names_user and "@" in value and colleague_by_email(value) is None:
        raise NotFound(f"{found.header[place]}: “{value}” isn't a user of this tenant.")
