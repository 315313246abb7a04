"""`qikbiz audit`: the platform's audit as a file, and whether an audit file is as it was written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioning.cli.output import Answer, reporting

if TYPE_CHECKING:
    from qikbiz.audit.verify import Report

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once
NOTED = re.compile(r"([1-9][0-9]{0,17}):([0-9a-fA-F]{64})")


@click.group()
def audit() -> None:
    """Verify audit files, and export the platform audit."""


@audit.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@reporting
def export(file: Path) -> Answer:
    """Export the platform audit, with all actions of staff and commands, to FILE."""
    from config.settings import load_settings
    from provisioning.audit_file import write_platform_audit

    events = write_platform_audit(load_settings(), file)
    return Answer({"file": str(file), "events": events}, f"{events:,} events written to {file}.")


@audit.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--head", "noted", metavar="SEQ:HASH", help="The newest entry as noted earlier from the audit page.")
@reporting
def verify(file: Path, noted: str | None) -> Answer:
    """Verify that no event of an audit was changed, added, removed or moved. Needs no server."""
    from provisioning.cli.errors import Refused
    from qikbiz.audit.verify import NotAnAudit
    from qikbiz.audit.verify import verify as check

    wanted = NOTED.fullmatch(noted.strip()) if noted is not None else None
    if noted is not None and wanted is None:
        raise Refused("--head must be a number, a colon and 64 hexadecimal digits, as shown on the audit page.")
    try:
        report = check(file, (int(wanted[1]), wanted[2].lower()) if wanted else None)
    except NotAnAudit as error:
        raise Refused(f"{file} can't be checked: {error}") from error
    return Answer(_facts(report), _words(file, report), ok=report.is_whole)


def _facts(report: Report) -> dict[str, object]:
    seq, digest = report.head
    return {
        "whole": report.is_whole,
        "organisation": report.organisation,
        "events": report.events,
        "from": report.first_at,
        "to": report.last_at,
        "erased": report.erased,
        "head": {"seq": seq, "hash": digest},
        "fault": {"where": report.at_event, "why": report.fault} if report.fault else None,
    }


def _words(file: Path, report: Report) -> str:
    if report.fault:
        return (
            f"{file} was ALTERED. The first fault is at {report.at_event}: {report.fault}.\n{report.events:,} "
            "events before it are verified."
        )
    seq, digest = report.head
    erased = f" The content of {report.erased:,} was erased." if report.erased else ""
    first = f" from {report.first_at} to {report.last_at}" if report.first_at else ""
    return (
        f"{file} is verified: {report.events:,} events of {report.organisation}{first}.{erased}\nNewest: {seq}:{digest}"
    )
