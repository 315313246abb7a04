"""`qikbiz user`: logins of one organisation."""

from __future__ import annotations

import click

from provisioning.cli.output import Answer, reporting
from provisioning.cli.passwords import read_password
from qikbiz.kernel.permissions import Role

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


@click.group()
def user() -> None:
    """Create the first administrator of a tenant, or ask its administrators to invite a user."""


@user.command()
@click.option("--tenant", "slug", required=True, help="The first part of the tenant's address.")
@click.option("--email", required=True)
@click.option("--name", required=True, help="The user's name.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--password-stdin", is_flag=True, help="Read the first administrator's password from standard input.")
@reporting
def create(slug: str, email: str, name: str, role: str, password_stdin: bool) -> Answer:
    """Create the first administrator of a tenant. Prompts for the password.

    If the tenant has users already, no password is accepted: its administrators get an email and can invite the
    user.
    """
    from config.settings import load_settings
    from provisioning.application import working_application
    from provisioning.logins import create_user, refuse_password
    from provisioning.tenants import tenant_named

    settings = load_settings()
    with working_application(settings) as runtime:
        tenant = tenant_named(runtime, slug)
        if password_stdin:
            refuse_password(settings, tenant)
        made = create_user(
            settings,
            tenant,
            email=email,
            name=name,
            role=role,
            read_password=lambda: read_password(from_stdin=password_stdin),
        )
    facts = {"id": made.id, "email": email, "role": role, "tenant": tenant.slug, "outcome": made.outcome}
    said = {
        "created": (
            f"{email} can sign in at {settings.origin(tenant.host)} as {role}. The administrators are notified."
        ),
        "invited": f"{email} was invited before. A new link is on its way to this address.",
        "proposed": (
            f"{tenant.name} has users already. Its administrators got an email asking them to invite {email}."
        ),
    }
    return Answer(facts, said[made.outcome])
