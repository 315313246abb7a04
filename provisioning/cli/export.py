"""`qikbiz export` and `qikbiz verify`: a customer's data on its instruction, and whether a file of it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioning.cli.authority import by_word_of_the_customer
from provisioning.cli.output import Answer, progress, reporting

if TYPE_CHECKING:
    from provisioning.instructions import Authority

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


@click.command()
@click.option("--tenant", "slug", required=True, help="The first part of the tenant's address.")
@by_word_of_the_customer
@click.option("--type", "scope", default="everything", help="One list only: contacts or companies.")
@click.option("--product", type=click.Choice(["portable", "spreadsheet"]), default="portable", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="The zip file to write. Not with an instruction.")
@reporting
def export(slug: str, authority: Authority, scope: str, product: str, output: Path | None) -> Answer:
    """Export a tenant's data on the customer's instruction, and wait for the file.

    With a grant for exports the file is written to --output. With an instruction only the customer can download it,
    under Exports; the counts are shown here.
    """
    from config.settings import load_settings
    from provisioning.exporting import export_for_customer

    with progress("Waiting for the export worker") as steps:
        made = export_for_customer(
            load_settings(),
            slug,
            authority=authority,
            scope=scope,
            product=product,
            output=output,
            watch=steps.show,
        )
    rows = sum(file["rows"] for file in made.files)
    facts = {"export": made.id, "files": made.files, "bytes": made.bytes, "seconds": made.seconds}
    place = made.path or "Available to the customer under Exports"
    shown = f"{place}: {rows:,} rows in {len(made.files)} files, {made.bytes:,} bytes ({made.seconds} s)."
    return Answer(facts | {"output": made.path, "sha256": made.sha256}, shown)


@click.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@reporting
def verify(file: Path) -> Answer:
    """Verify an export: the SHA-256, size and rows of every file. Needs no server."""
    import zipfile

    from provisioning.cli.errors import Refused
    from qikbiz.transfer.exports.verify import verify as check

    try:
        manifest, problems = check(file)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise Refused(f"{file} is not an export that can be verified: {error}") from error
    files = [{name: entry[name] for name in ("name", "rows", "sha256")} for entry in manifest["files"]]
    shown = "\n".join(problems) or f"{file} is verified: {manifest['totals']['rows']:,} rows in {len(files)} files."
    return Answer({"whole": not problems, "files": files, "problems": problems}, shown, ok=not problems)
