"""`qikbiz staff`: operators, support agents and auditors of the platform."""

from __future__ import annotations

import click

from provisioning.cli.output import Answer, reporting
from provisioning.cli.passwords import read_password
from qikbiz.kernel.permissions import StaffRole

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


@click.group()
def staff() -> None:
    """Create operators, support agents and auditors, and help those who lost their second factor."""


@staff.command()
@click.option("--email", required=True)
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", required=True, type=click.Choice([role.value for role in StaffRole]))
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@reporting
def create(email: str, name: str, role: str, password_stdin: bool) -> Answer:
    """Create a login at the console. Without --password-stdin the password is asked for, unseen."""
    from config.settings import load_settings
    from provisioning.logins import create_staff

    settings, password = load_settings(), read_password(from_stdin=password_stdin)
    staff_id = create_staff(settings, email=email, name=name, role=role, password=password)
    console = settings.origin(f"console.{settings.base_domain}")
    return Answer({"id": staff_id, "email": email, "role": role}, f"{email} can log in at {console} as {role}.")


@staff.command("reset-factors")
@click.option("--email", required=True)
@reporting
def reset_factors(email: str) -> Answer:
    """Take the passkeys, app and recovery codes off a login. The next login sets up new ones; the audit says so."""
    from config.settings import load_settings
    from provisioning.logins import reset_staff_factors

    gone = reset_staff_factors(load_settings(), email)
    said = f"{email} is logged out everywhere and sets up a new second factor at the next login. Told by mail."
    return Answer({"email": email, "factors": gone}, said)
