"""What the pages of an import show: its steps, its previews, its standing."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_login import current_user

from qikbiz.crm.records.changes import shown_changes
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import record_type
from qikbiz.kernel.permissions import Permission
from qikbiz.transfer.imports import actions, import_context, queries
from qikbiz.transfer.imports.cell_choices import unreadable_columns
from qikbiz.transfer.imports.csv_dialect import first_lines
from qikbiz.transfer.imports.forms import DATE_ORDERS, DECIMAL_MARKS, MODE_CHOICES, key_choices, region_choices
from qikbiz.transfer.imports.lookalikes import shown_lookalikes
from qikbiz.transfer.imports.mapping import FULL_NAME, Mapping, has_key, target_choices
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.queries import Page
from qikbiz.transfer.imports.undo_page import kept_facts
from qikbiz.transfer.imports.unmapped import unmapped_columns
from qikbiz.transfer.imports.visibility import is_own_upload, shown_row, visible_cells

WORDS = {
    "uploaded": ("Not finished", "idle"),
    "mapped": ("Not finished", "idle"),
    "checking": ("Checking", "busy"),
    "checked": ("Ready to import", "warn"),
    "applying": ("Importing", "busy"),
    "applied": ("Imported", "good"),
    "undoing": ("Undoing", "busy"),
    "undone": ("Undone", "idle"),
    "failed": ("Stopped", "bad"),
    "cancelled": ("Cancelled", "idle"),
}
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Line:
    """An import in the list."""

    found: Import
    words: str
    kind: str
    url: str
    is_working: bool
    share: tuple[int, int] | None


def line_of(found: Import) -> Line:
    progress = queries.progress_of_import(found) if found.state in queries.WORKING else None
    is_working = progress is not None and not progress.is_over
    words, kind = words_of(found) if is_working or found.state not in queries.WORKING else ("Stopped", "bad")
    share = (progress.done, progress.total) if progress and progress.total and is_working else None
    return Line(found, words, kind, place_of(found), is_working, share)


def words_of(found: Import) -> tuple[str, str]:
    """What happened to it, and how that looks."""
    if found.state == "undone" and found.undo_counts.get("kept"):
        return "Partly undone", "warn"
    return WORDS[found.state]


def place_of(found: Import) -> str:
    """Where the wizard was left."""
    may_go_on = current_user.can(Permission.IMPORT_APPLY)
    step = {"uploaded": "shape", "mapped": "columns"}.get(found.state, "show") if may_go_on else "show"
    return url_for(f"imports.{step}", import_id=found.id)


def steps_of(found: Import) -> list[tuple[str, str]]:
    """The steps and where each can be taken again; after the import is done there is no way back but to undo it."""
    is_open = found.state in actions.BEFORE_APPLY
    urls = [url_for(f"imports.{step}", import_id=found.id) for step in ("shape", "columns", "show")]
    back = urls if is_open else [""] * 3
    return [("Upload", ""), ("Format", back[0]), ("Columns", back[1]), ("Check", back[2]), ("Import", "")]


def format_facts(found: Import) -> dict[str, Any]:
    detected = import_context.detection_of(found) if not found.encoding else None
    encoding = found.encoding or (detected.proposed if detected else "utf-8")
    source, visible = import_context.source_of(found), visible_cells(found)
    # Without a header nobody knows which column a line's cells stand in.
    lines = [] if found.header or not visible.is_everything else first_lines(source, encoding, _SHOWN)
    return {
        "found": found,
        "way": steps_of(found),
        "encoding": encoding,
        "detected": detected if visible.is_everything else None,
        "rows": [visible.kept(row) for row in import_context.sample_of(found)[:_SHOWN]],
        "is_partly_hidden": not visible.is_everything,
        "lines": [line[:300] for line in lines],
        "headings": visible.headings,
        "has_header": bool(found.options.get("has_header", True)),
        "is_formula_safe": bool(found.options.get("is_formula_safe", False)),
        "header_row": found.options.get("header_row") or "",
    }


def column_facts(found: Import) -> dict[str, Any]:
    wanted = visible_type(record_type(found.record_type))
    visible = visible_cells(found)
    sample = [visible.kept(row) for row in import_context.sample_of(found)]
    mapping = Mapping.from_json(found.mapping)
    return {
        "found": found,
        "way": steps_of(found),
        "columns": [
            _column(found, mapping, sample, place)
            | {"heading": visible.headings[place], "is_hidden": not visible.shows(place)}
            for place in range(len(found.header))
        ],
        "targets": target_choices(wanted),
        "unmapped": unmapped_columns(found),
        "keys": key_choices(wanted),
        "modes": MODE_CHOICES,
        "regions": region_choices(),
        "date_orders": DATE_ORDERS,
        "decimal_marks": DECIMAL_MARKS,
        "options": found.options,
        "earlier": queries.same_import_before(found) or queries.same_file_before(found),
        "must_confirm": queries.same_import_before(found) is not None,
        "label": wanted.plural_label.lower(),
        "finds_nothing": not any(has_key(wanted, mapping.fields(), key) for key in wanted.key_fields),
    }


def standing_of(found: Import) -> dict[str, Any]:
    progress = queries.progress_of_import(found)
    is_working = found.state in queries.WORKING and progress is not None and not progress.is_over
    has_stopped = found.state in queries.WORKING and not is_working
    shown_now, has_problems = found.state == "checked", any(map(found.counts.get, ("skipped_cells", "invalid")))
    return {
        "found": found,
        "way": steps_of(found),
        "step": 5 if found.state in ("applying", "applied", "undoing", "undone") else 4,
        "progress": progress,
        "is_working": is_working,
        "has_stopped": has_stopped,
        "words": ("Stopped", "bad") if has_stopped else words_of(found),
        **(kept_facts(found) if found.undo_counts else {}),
        "updates": updates_of(found, limit=_SHOWN).rows if shown_now else [],
        "refused": refused_of(found, limit=_SHOWN).rows if found.counts.get("invalid") else [],
        "unreadable": unreadable_columns(found) if has_problems else [],
        "alike": shown_lookalikes(found) if shown_now else [],
        "unmapped": unmapped_columns(found) if shown_now and found.file_key is not None else [],
        "record_label": record_type(found.record_type).plural_label,
        "changes_of": lambda update: changes_in_words(found, update),
    }


def updates_of(found: Import, *, after: int = 0, limit: int = queries.PAGE) -> Page:
    return queries.updates(found.id, visible_type(record_type(found.record_type)), after=after, limit=limit)


def refused_of(found: Import, *, after: int = 0, limit: int = queries.PAGE) -> Page:
    return _readable(found, queries.invalid_rows(found.id, after=after, limit=limit))


def skipped_of(found: Import, *, after: int = 0, limit: int = queries.PAGE) -> Page:
    return _readable(found, queries.skipped_cells(found.id, after=after, limit=limit))


def _readable(found: Import, page: Page) -> Page:
    """The rows with their problems as this person may read them."""
    visible = visible_cells(found)
    return Page([shown_row(row, visible, row.problems) for row in page.rows], page.after)


def changes_in_words(found: Import, update: Any) -> list[tuple[str, str, str]]:
    """(label, old, new) of each field that a person knows."""
    wanted = visible_type(record_type(found.record_type))
    changes = shown_changes(wanted, _without_hidden_names(wanted, found, update.changes))
    fields = [(wanted.field(name), old, new) for name, old, new in changes]
    return [(field.label, field.show(old), field.show(new)) for field, old, new in fields]


def _without_hidden_names(wanted: RecordType, found: Import, changes: AnyMapping[str, Any]) -> dict[str, Any]:
    """Without the records that were named before, where this user may not see each record of their type."""
    shown = dict(changes)
    for field in record_type(found.record_type).named_references:
        columns = {*field.written_columns}
        if not wanted.unsearchable & columns:
            continue
        shown = {name: pair for name, pair in shown.items() if name not in columns}
        if is_own_upload(found) and field.name in changes:
            shown[field.name] = [None, changes[field.name][1]]
    return shown


def _column(found: Import, mapping: Mapping, sample: list[list[str]], place: int) -> dict[str, Any]:
    column = mapping.column_of(place)
    chosen = ""
    if column is not None:
        lists = record_type(found.record_type).address_lists.values()
        chosen = f"{column.field}:{column.label}" if column.field in lists else column.field
    note = ""
    if column is not None and column.label_place is not None:
        note = f"Its label is read from “{found.header[column.label_place]}”."
    examples = [row[place] for row in sample if place < len(row) and row[place].strip()]
    if column is not None and column.field != FULL_NAME:
        note = record_type(found.record_type).field(column.field).import_note(examples) or note
    heading = found.header[place]
    return {"place": place, "heading": heading, "chosen": chosen, "examples": examples[:3], "note": note}
