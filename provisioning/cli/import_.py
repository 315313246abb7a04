"""`qikbiz import` and `qikbiz undo-import`: a file brought in on a customer's instruction, and taken back whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from provisioning.cli.authority import by_word_of_the_customer
from provisioning.cli.output import Answer, progress, reporting

if TYPE_CHECKING:
    from provisioning.instructions import Authority

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once
_MARKS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tenant", "slug", required=True, help="The first part of the tenant's address.")
@click.option(
    "--type", "type_name", type=click.Choice(["contacts", "companies"]), default="contacts", show_default=True
)
@click.option(
    "--key",
    default="",
    help="Field that matches existing records: email, external_id, id, name_company; domain or name for companies.",
)
@click.option("--mode", type=click.Choice(["create", "update", "upsert"]), default="upsert", show_default=True)
@by_word_of_the_customer
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="COLUMN=FIELD",
    help=("Map a column to a field. COLUMN=- doesn't import it."),
)
@click.option("--encoding", default="", help="Needed when the file is not UTF-8, such as cp1252.")
@click.option("--delimiter", type=click.Choice([*_MARKS]), default=None, help="Detected if omitted.")
@click.option("--header-row", type=click.IntRange(1, 60), help="Row with the column headings. Detected if omitted.")
@click.option("--region", default="", help="Country of phone numbers without country code, such as DE.")
@click.option("--date-order", type=click.Choice(["dmy", "mdy"]), default=None, help="For dates such as 03/04/2026.")
@click.option("--decimal-mark", type=click.Choice([".", ","]), default=".", show_default=True)
@click.option(
    "--unreadable",
    multiple=True,
    metavar="[COLUMN=]skip|refuse",
    help="Unreadable cells: skip the cell (default) or refuse the row, in all columns or in one.",
)
@click.option("--value", "values", multiple=True, metavar="COLUMN:WRITTEN=VALUE", help="Replace a value in a column.")
@click.option(
    "--again", is_flag=True, help=("Import again even if this file was imported before with the same options.")
)
@click.option("--returning", is_flag=True, help="A customer whose account was erased imports its own export again.")
@reporting
def import_file(
    file: Path,
    *,
    slug: str,
    type_name: str,
    key: str,
    mode: str,
    authority: Authority,
    maps: tuple[str, ...],
    encoding: str,
    delimiter: str | None,
    header_row: int | None,
    region: str,
    date_order: str | None,
    decimal_mark: str,
    unreadable: tuple[str, ...],
    values: tuple[str, ...],
    again: bool,
    returning: bool,
) -> Answer:
    """Check and import FILE (CSV, or a zip with one) into a tenant, and wait. A full export is restored."""
    from config.settings import load_settings
    from provisioning.importing import Choices, import_for_customer

    choices = Choices(
        type_name,
        key,
        mode,
        encoding,
        _MARKS.get(delimiter or "", ""),
        dict(_pair(given) for given in maps),
        region,
        date_order or "",
        decimal_mark,
        again,
        returning,
        unreadable,
        values,
        header_row or 0,
    )
    with progress("Waiting for the import worker") as steps:
        done = import_for_customer(
            load_settings(), slug, file, choices, authority=authority, watch=steps.show, say=_say
        )
    shown = (
        f"{done.rows:,} rows: {done.created:,} created, {done.updated:,} updated, {done.unchanged:,} unchanged, "
        f"{done.invalid:,} not imported ({done.seconds} s)." + (f" Import {done.id}." if done.id else "")
    )
    more = f"\nRows not imported, with reasons: {done.failed_file}" if done.failed_file else ""
    if done.skipped_file:
        more += f"\n{done.skipped_cells:,} unreadable cells were skipped. Their rows: {done.skipped_file}"
    return Answer(done.as_facts(), shown + more)


@click.command("undo-import")
@click.argument("import_id", metavar="IMPORT", type=click.UUID)
@click.option("--tenant", "slug", required=True, help="The first part of the tenant's address.")
@click.option(
    "--anyway",
    is_flag=True,
    help=("Also undo records that were changed since: restore old values, move new records to the trash."),
)
@by_word_of_the_customer
@reporting
def undo_import(import_id: UUID, slug: str, authority: Authority, *, anyway: bool) -> Answer:
    """Undo an import. Records that were changed since are kept and listed, unless --anyway is given."""
    from config.settings import load_settings
    from provisioning.importing import undo_for_customer

    with progress("Waiting for the import worker") as steps:
        done = undo_for_customer(load_settings(), slug, import_id, authority=authority, watch=steps.show, anyway=anyway)
    named = "".join(f"\n  kept: {record['id']} ({record['why']})" for record in done.get("kept_records", [])[:20])
    return Answer(done, f"{done['reversed']:,} undone, {done['kept']:,} kept, {done['failed']:,} failed.{named}")


def _pair(given: str) -> tuple[str, str]:
    heading, equals, target = given.rpartition("=")
    if not equals or not heading:
        raise click.BadParameter(f"{given!r} is not COLUMN=FIELD.", param_hint="--map")
    return heading, target


def _say(text: str) -> None:
    click.echo(text, err=True)
