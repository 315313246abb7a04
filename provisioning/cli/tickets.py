"""`qikbiz tickets receive`: what the mail server pipes every mail into that comes to the support address."""

from __future__ import annotations

import sys

import click

from provisioning.cli.output import Answer, reporting

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


@click.group()
def tickets() -> None:
    """Take in mails to the support."""


@tickets.command()
@click.option("--recipient", default="", help="The address of the envelope, when the mail server gives it.")
@reporting
def receive(recipient: str) -> Answer:
    """Read one mail from standard input. An answer joins its ticket, a new question becomes one.

    Exit code 0 means that the mail is dealt with, also when it is left alone; 1 that it should be tried again.
    """
    from config.settings import load_settings
    from provisioning.application import working_application
    from qikbiz.kernel.database import control_transaction
    from qikbiz.trust.tickets.incoming import LONGEST_MAIL
    from qikbiz.trust.tickets.incoming import receive as take_in

    content = sys.stdin.buffer.read(LONGEST_MAIL + 1)
    with working_application(load_settings()), control_transaction():
        received = take_in(content, recipient=recipient)
    facts = {"outcome": received.outcome, "ticket": received.reference, "why": received.why}
    return Answer(facts, f"{received.outcome.capitalize()} {received.reference} {received.why}".strip())
