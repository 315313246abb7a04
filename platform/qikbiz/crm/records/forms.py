"""The form of a record, made from its declaration. It refuses what it did not ask for, and keeps what was typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as initially
from uuid import UUID

from flask import request

from qikbiz.crm.records.links import linked_columns, shown_link
from qikbiz.crm.schema.field import PLAIN, Field, ParseLocale
from qikbiz.crm.schema.kinds.labelled import is_label
from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.normalize import normalise_country, with_plain_line_ends
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.kernel.errors import Failure
from qikbiz.web.csrf import FIELD
from tenants.context import current_tenant

# Empty lines offered where JavaScript can't add them.
MOST_LINES = 50
_OURS = frozenset({FIELD, "version", "next", "once"})


class UnknownField(Failure):
    """The form sent something that this record can't be given."""


@dataclass(frozen=True, slots=True)
class Label:
    text: str


@dataclass(slots=True)
class FormField:
    """One field as typed. `entries` are the lines of a list, each {label, value}; `primary` says which one leads."""

    field: Field
    text: str = ""
    primary: int = 0
    entries: list[dict[str, str]] = initially(default_factory=list)
    errors: list[str] = initially(default_factory=list)

    @property
    def id(self) -> str:
        return self.field.name

    @property
    def label(self) -> Label:
        return Label(self.field.label)

    @property
    def is_list(self) -> bool:
        return bool(self.field.part)

    @property
    def part(self) -> str:
        return self.field.part

    @property
    def labels(self) -> tuple[str, ...]:
        return self.field.labels


class RecordForm:
    """All editable fields of a record type. After `validate`, `values` holds the columns to write.

    `beside` is what `read` found under the further names that the page may send.
    """

    def __init__(self, record_type: RecordType, *, version: int = 0) -> None:
        self.record_type = record_type
        self.version = version
        self.fields = {item.name: FormField(item) for item in record_type.editable()}
        self.form_errors: list[str] = []
        self.values: dict[str, object] = {}
        self.beside: dict[str, str] = {}

    def __iter__(self) -> Iterator[FormField]:
        return iter(self.fields.values())

    def __getitem__(self, name: str) -> FormField:
        return self.fields[name]

    @property
    def errors(self) -> dict[str, list[str]]:
        found = {name: item.errors for name, item in self.fields.items() if item.errors}
        return {**found, **({"": self.form_errors} if self.form_errors else {})}

    def sections(self) -> list[tuple[str, list[FormField]]]:
        return [
            (title, shown)
            for title, items in self.record_type.sections().items()
            for shown in ([self.fields[item.name] for item in items if item.name in self.fields],)
            if shown
        ]

    def fill_from(self, record: Record) -> None:
        """Show what the record holds."""
        self.version = record.version
        for name, item in self.fields.items():
            if item.is_list:
                item.entries = [{"label": e["label"], "value": e[item.part]} for e in getattr(record, name)]
            else:
                item.text = _shown(item.field, record)

    def read(self, *, extra: frozenset[str] = frozenset()) -> None:
        """Take over what was typed. Raises UnknownField for anything the form does not have."""
        sent = request.form
        for name in sent:
            if name not in _OURS | extra and not self._knows(name):
                raise UnknownField(f"This form has no field called “{name[:60]}”. Nothing was saved.")
        self.version = _number(sent.get("version", "0"))
        self.beside = {name: text for name, text in sent.items() if name in extra}
        for name, item in self.fields.items():
            item.text = sent.get(name, "")
            if item.is_list:
                item.entries, item.primary = _entries(item, sent)

    def read_one(self, name: str, *, extra: frozenset[str]) -> None:
        """As `read`, for a form that may send only one field. Raises Failure for a second one."""
        self.read(extra=extra)
        if others := sorted(set(request.form) - {FIELD, "version", name} - extra):
            raise Failure(f"Only one field can be changed in place, but “{others[0][:60]}” was sent too.")

    def validate(self, record: Record | None = None) -> bool:
        """Check everything and fill `values`; False when something must be mended. `record` is the one edited.

        A field that comes back as it was shown is left out: what it holds stays to the byte, whatever a form can carry.
        """
        context = self._context()
        for item in self:
            if record is not None and _is_untouched(item, record):
                continue
            try:
                self.values.update(_columns(item, context, record))
            except FieldProblem as problem:
                item.errors.append(str(problem))
        return not self.errors

    def validate_one(self, name: str, record: Record | None) -> bool:
        """As `validate`, for a form that sent only one field."""
        item = self.fields[name]
        if _is_untouched(item, record):
            return True
        try:
            self.values = _columns(item, PLAIN, record)
        except FieldProblem as problem:
            item.errors.append(str(problem))
        return not item.errors

    def typed(self) -> list[tuple[str, str]]:
        """Everything typed as names and texts, so that a page in between can send it on."""
        pairs = [(name, item.text) for name, item in self.fields.items() if not item.is_list]
        for name, item in self.fields.items():
            pairs.append((f"{name}-primary", str(item.primary) if item.entries else ""))
            for index, entry in enumerate(item.entries):
                pairs += [(f"{name}-{index}-label", entry["label"]), (f"{name}-{index}-{item.part}", entry["value"])]
        return [(name, text) for name, text in pairs if text]

    def _knows(self, name: str) -> bool:
        if name in self.fields:
            return not self.fields[name].is_list
        base, _, rest = name.partition("-")
        index, _, part = rest.partition("-")
        known = self.fields.get(base)
        if known is None or not known.is_list:
            return False
        return rest == "primary" or (index.isascii() and index.isdecimal() and part in ("label", known.part))

    def _context(self) -> ParseLocale:
        """A phone number without country code is one of the country typed in the address, else the organisation's."""
        country = next((item.text for item in self if item.field.gives_region and item.text), "")
        try:
            return ParseLocale(default_region=normalise_country(country or current_tenant().country))
        except FieldProblem:
            return PLAIN


def _entries(item: FormField, sent: Mapping[str, str]) -> tuple[list[dict[str, str]], int]:
    """The lines that are filled in, and which of them was marked as the primary one."""
    start, end = f"{item.field.name}-", f"-{item.part}"
    names = [name.removeprefix(start).removesuffix(end) for name in sent if name.startswith(start)]
    indexes = sorted({int(name) for name in names if name.isdecimal()})[: MOST_LINES + 1]
    filled = [index for index in indexes if sent.get(f"{start}{index}{end}", "").strip()]
    lines = [
        {"label": sent.get(f"{start}{index}-label", ""), "value": sent[f"{start}{index}{end}"]} for index in filled
    ]
    chosen = _number(sent.get(f"{start}primary", "0"))
    return lines, filled.index(chosen) if chosen in filled else 0


def _columns(item: FormField, context: ParseLocale, record: Record | None) -> dict[str, object]:
    if item.is_list:
        return {item.field.name: _parsed_entries(item, context)}
    # Browsers send line ends as CR LF whatever the text held.
    value = item.field.parse_typed(with_plain_line_ends(item.text), context)
    if item.field.is_link:
        return linked_columns(item.field, value, record)
    return {item.field.name: value}


def _is_untouched(item: FormField, record: Record | None) -> bool:
    if item.is_list:
        shown = [{"label": entry["label"], "value": entry[item.part]} for entry in getattr(record, item.field.name)]
        return item.primary == 0 and item.entries == shown
    return with_plain_line_ends(item.text) == with_plain_line_ends(_shown(item.field, record))


def _parsed_entries(item: FormField, context: ParseLocale) -> list[dict[str, str]]:
    """The primary line first, each by itself, so that a mistake names its line. The same address is kept once."""
    parsed: dict[str, dict[str, str]] = {}
    rest = [entry for index, entry in enumerate(item.entries) if index != item.primary]
    for entry in [*item.entries[item.primary : item.primary + 1], *rest]:
        if not is_label(entry["label"]):
            raise FieldProblem(f"“{entry['label'][:40]}” can't be a label.", f"Use one such as {item.labels[0]}.")
        for found in item.field.parse(entry["value"], context):
            parsed.setdefault(
                found[item.part], {"label": entry["label"] or found["label"], item.part: found[item.part]}
            )
    return list(parsed.values())


def _shown(item: Field, record: Record | None) -> str:
    return shown_link(item, record) if item.is_link else item.show(getattr(record, item.name))


def given_id() -> UUID | None:
    """The id that the form of a new record carries from its first showing on."""
    try:
        return UUID(request.form.get("once", ""))
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0
