"""`qikbiz user`: logins of one organisation."""

from __future__ import annotations

import click

from provisioning.cli.output import Answer, reporting
from provisioning.cli.passwords import read_password
from qikbiz.permissions import Role

# ruff: noqa: PLC0415 - whatever a command needs is imported when it runs, so that `--help` answers at once


@click.group()
def user() -> None:
    """Create a login in one customer organisation."""


@user.command()
@click.option("--tenant", "slug", required=True, help="The organisation's name in its address.")
@click.option("--email", required=True)
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@reporting
def create(slug: str, email: str, name: str, role: str, password_stdin: bool) -> Answer:
    """Create a login that works at once. Without --password-stdin the password is asked for, unseen."""
    from config.settings import load_settings
    from provisioning.application import working_application
    from provisioning.logins import create_user
    from provisioning.tenants import tenant_named

    settings, password = load_settings(), read_password(from_stdin=password_stdin)
    with working_application(settings) as runtime:
        tenant = tenant_named(runtime, slug)
        user_id = create_user(settings, tenant, email=email, name=name, role=role, password=password)
    facts = {"id": user_id, "email": email, "role": role, "tenant": tenant.slug}
    return Answer(facts, f"{email} can log in at {settings.origin(tenant.host)} as {role}.")
