"""`qikbiz domain`: names of customers' own, beside the one below our domain."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from provisioning.cli.output import Answer, reporting

if TYPE_CHECKING:
    from provisioning.domains import DomainFacts

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


@click.group()
def domain() -> None:
    """Manage custom domains of tenants."""


@domain.command()
@click.argument("slug")
@click.argument("host")
@reporting
def add(slug: str, host: str) -> Answer:
    """Add the domain HOST to the tenant SLUG, and show how to verify it."""
    from config.settings import load_settings
    from provisioning.domains import add

    made = add(load_settings(), slug, host)
    shown = (
        f"To verify {made.host} and point it here, the customer adds these DNS records:\n\n  {made.txt_name}   "
        f"TXT     {made.txt_value}\n  {made.host}   CNAME   {made.points_to}\n\nThen: qikbiz domain verify "
        f"{made.tenant} {made.host}"
    )
    return Answer(asdict(made), shown)


@domain.command()
@click.argument("slug")
@click.argument("host")
@reporting
def verify(slug: str, host: str) -> Answer:
    """Verify HOST by its DNS records, and start serving it."""
    from config.settings import load_settings
    from provisioning.domains import verify

    proved = verify(load_settings(), slug, host)
    return Answer(asdict(proved), f"{proved.host} is verified and active for {proved.tenant}.")


@domain.command()
@click.argument("slug")
@click.argument("host")
@reporting
def remove(slug: str, host: str) -> Answer:
    """Remove the domain HOST."""
    from config.settings import load_settings
    from provisioning.domains import remove

    remove(load_settings(), slug, host)
    return Answer({"tenant": slug, "host": host}, f"{host} is removed from {slug}.")


@domain.command("list")
@click.argument("slug", required=False)
@reporting
def list_(slug: str | None) -> Answer:
    """List the domains of all tenants, or of SLUG."""
    from config.settings import load_settings
    from provisioning.domains import list_domains

    found = list_domains(load_settings(), slug)
    return Answer({"domains": [asdict(one) for one in found]}, _table(found) if found else "No domains.")


def _table(found: list[DomainFacts]) -> Any:
    from rich.table import Table

    table = Table("Domain", "Tenant", "Verified", box=None)
    for one in found:
        table.add_row(one.host, one.tenant, f"{one.verified_at:%Y-%m-%d %H:%M}" if one.verified_at else "not yet")
    return table
