"""`qikbiz tickets receive`: what the mail server pipes every mail into that comes to the support address."""

from __future__ import annotations

import sys

import click

from provisioning.cli.output import Answer, reporting

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


@click.group()
def tickets() -> None:
    """Receive support emails."""


@tickets.command()
@click.option("--recipient", default="", help="The envelope recipient, if the mail server passes it.")
@reporting
def receive(recipient: str) -> Answer:
    """Read one email from standard input. A reply is added to its ticket, a new request opens one.

    Exit code 0 means that the email is handled or ignored, 1 that it should be retried.
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
