"""Rows refused by what only the database knows, with the reason for people."""

from __future__ import annotations

import json
from uuid import UUID

from qikbiz.transfer.imports.returned_rows import KEEPS_LINE
from qikbiz.transfer.imports.sql import Link, run

USABLE = "r.import_id = %(import)s AND r.outcome <> 'invalid'"


def refuse(link: Link, import_id: UUID, condition: str, *, problem: str, source: str = "") -> None:
    """Refuse the rows r of which `condition` is true, joined with `source`, for the problem that `problem_of` made."""
    run(
        link,
        f"UPDATE import_rows r SET outcome = 'invalid', record_id = NULL, problems = {problem} "
        f"{'FROM ' + source if source else ''} WHERE {USABLE} AND {condition}",
        **{"import": import_id},
    )


def problem_of(value: str, reason: str, how_to_fix: str, *, column: str = "''", keeps_line: bool = False) -> str:
    """SQL that makes a row's list of one problem. All but the advice, which is plain text, are SQL.

    With `keeps_line` the row is given back with its line, since it does not show by itself what is wrong with it.
    """
    more = f", '{KEEPS_LINE}', true" if keeps_line else ""
    advice = json.dumps(how_to_fix)[1:-1].replace("'", "''")
    return (
        f"jsonb_build_array(jsonb_build_object('column', {column}, 'value', left({value}, 80), 'reason', {reason}, "
        f"'how_to_fix', '{advice}'{more}))"
    )
