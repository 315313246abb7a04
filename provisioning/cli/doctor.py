"""`qikbiz doctor`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from provisioning.cli.output import Answer, reporting

if TYPE_CHECKING:
    from provisioning.doctor import Check


@click.command()
@reporting
def doctor() -> Answer:
    """Check every server, version, right, queue and clock, and say what to do. Ends with 1 when something is wrong."""
    from config.settings import load_settings  # noqa: PLC0415 - kept out of `--help`
    from provisioning.doctor import examine  # noqa: PLC0415

    found = examine(load_settings())
    shown = "\n".join(_line(check) for check in found.checks)
    return Answer({"checks": [asdict(check) for check in found.checks]}, shown, ok=found.is_well)


def _line(check: "Check") -> str:
    line = f"{'ok ' if check.ok else 'BAD'}  {check.name}: {check.detail}"
    return f"{line}\n     → {check.remedy}" if check.remedy else line
