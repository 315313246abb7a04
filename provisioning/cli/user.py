"""`qikbiz user`: logins of one organisation."""

from __future__ import annotations

import click

from provisioning.cli.output import Answer, reporting
from provisioning.cli.passwords import read_password
from qikbiz.kernel.permissions import Role

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


@click.group()
def user() -> None:
    """The first administrator of an organisation, and users whom its administrators are asked to invite."""


@user.command()
@click.option("--tenant", "slug", required=True, help="The organisation's name in its address.")
@click.option("--email", required=True)
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--password-stdin", is_flag=True, help="Read the first administrator's password from standard input.")
@reporting
def create(slug: str, email: str, name: str, role: str, password_stdin: bool) -> Answer:
    """Create the first administrator of an organisation, whose password is asked for, unseen.

    Once somebody has a login there, no password is taken: the administrators are told by mail and invite the person,
    or don't.
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
        "created": f"{email} can sign in at {settings.origin(tenant.host)} as {role}. The administrators are told.",
        "invited": f"{email} was invited before; a new link is on its way to this address.",
        "proposed": f"{tenant.name} has users, so they decide: its administrators are asked by mail to invite {email}.",
    }
    return Answer(facts, said[made.outcome])
