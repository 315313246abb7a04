"""`qikbiz doctor`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from provisioning.cli.output import Answer, reporting

if TYPE_CHECKING:
    from provisioning.doctor import Check


# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


@click.command()
@click.option("--sql", is_flag=True, help="Only print the SQL that a superuser must run in the tenants' database.")
@reporting
def doctor(*, sql: bool) -> Answer:
    """Check servers, versions, rights, queues and clocks, and suggest fixes. Exits with 1 if a check fails."""
    from config.settings import load_settings
    from provisioning.doctor import examine

    if sql:
        return _closing_statements()
    found = examine(load_settings())
    shown = "\n".join(_line(check) for check in found.checks)
    return Answer({"checks": [asdict(check) for check in found.checks]}, shown, ok=found.is_well)


def _closing_statements() -> Answer:
    from rich.text import Text

    from config.settings import load_settings
    from provisioning.hardening import openings
    from provisioning.servers import connect_as_provisioner

    with connect_as_provisioner(load_settings()) as connection:
        statements = openings(connection)
    return Answer({"statements": statements}, Text("".join(f"{statement};\n" for statement in statements), end=""))


def _line(check: "Check") -> str:
    line = f"{'ok ' if check.ok else 'BAD'}  {check.name}: {check.detail}"
    return f"{line}\n     → {check.remedy}" if check.remedy else line
