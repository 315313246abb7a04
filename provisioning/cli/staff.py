"""`qikbiz staff`: operators, support agents and auditors of the platform."""

from __future__ import annotations

import click

from provisioning.cli.output import Answer, reporting
from provisioning.cli.passwords import read_password
from qikbiz.kernel.permissions import StaffRole

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


@click.group()
def staff() -> None:
    """Create or invite operators, support agents and auditors, and reset their second factors."""


@staff.command()
@click.option("--email", required=True)
@click.option("--name", required=True, help="The user's name.")
@click.option("--role", required=True, type=click.Choice([role.value for role in StaffRole]))
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@reporting
def create(email: str, name: str, role: str, password_stdin: bool) -> Answer:
    """Create a console user. Prompts for the password unless --password-stdin is given."""
    from config.settings import load_settings
    from provisioning.logins import create_staff

    settings, password = load_settings(), read_password(from_stdin=password_stdin)
    staff_id = create_staff(settings, email=email, name=name, role=role, password=password)
    console = settings.origin(f"console.{settings.base_domain}")
    return Answer({"id": staff_id, "email": email, "role": role}, f"{email} can sign in at {console} as {role}.")


@staff.command()
@click.option("--email", required=True)
@click.option("--name", required=True, help="The user's name.")
@click.option("--role", required=True, type=click.Choice([role.value for role in StaffRole]))
@reporting
def invite(email: str, name: str, role: str) -> Answer:
    """Email an invitation to the console. The invited user chooses the password."""
    from config.settings import load_settings
    from provisioning.logins import invite_staff_user

    url = invite_staff_user(load_settings(), email=email, name=name, role=role)
    return Answer({"email": email, "role": role, "invitation_url": url}, f"{email} was invited as {role}: {url}")


@staff.command("reset-factors")
@click.option("--email", required=True)
@reporting
def reset_factors(email: str) -> Answer:
    """Remove a user's passkeys, authenticator app and recovery codes. The next sign-in sets up new ones."""
    from config.settings import load_settings
    from provisioning.logins import reset_staff_factors

    gone = reset_staff_factors(load_settings(), email)
    said = f"{email} is signed out everywhere and sets up a new second factor at the next sign-in. An email was sent."
    return Answer({"email": email, "factors": gone}, said)
