"""`qikbiz migrate`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from provisioning.cli.output import Answer, progress, reporting

if TYPE_CHECKING:
    from provisioning.migrate import MigrationReport

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


@click.command()
@click.option(
    "--jobs",
    type=click.IntRange(1, 32),
    default=2,
    show_default=True,
    help=("Number of tenants to migrate in parallel."),
)
@click.option("--tenant", "slug", default=None, help="Migrate only this tenant.")
@reporting
def migrate(jobs: int, slug: str | None) -> Answer:
    """Migrate the databases to this version. If a tenant fails, the others continue; run it again to retry."""
    from config.settings import load_settings
    from provisioning.bootstrap import HOW_TO_CLOSE, prepare_servers
    from provisioning.migrate import migrate_everything

    settings = load_settings()
    prepared = prepare_servers(settings)
    with progress("Migrating") as bar:
        report = migrate_everything(settings, jobs=jobs, tenant=slug, progress=bar.show)
    if prepared.statements_for_dba:
        number = len(prepared.statements_for_dba)
        click.echo(
            f"{number} PostgreSQL permissions are too broad, and this role can't revoke them: {HOW_TO_CLOSE}", err=True
        )
    failed = [{"slug": name, "reason": reason} for name, reason in report.failed]
    return Answer(asdict(report) | {"failed": failed}, _shown(report), ok=not failed)


def _shown(report: MigrationReport) -> str:
    lines = [f"{report.done} migrated to {report.head}, {report.skipped} up to date ({report.seconds} s)."]
    lines += [f"{slug} failed: {reason}" for slug, reason in report.failed]
    return "\n".join(lines)
