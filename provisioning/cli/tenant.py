"""`qikbiz tenant`: customer organisations, from the first day to the last."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from provisioning.cli.output import Answer, progress, reporting

if TYPE_CHECKING:
    from provisioning.fleet import TenantFacts

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


@click.group()
def tenant() -> None:
    """Create and manage tenants."""


@tenant.command()
@click.argument("slug")
@click.option("--name", required=True, help="The name of the organisation.")
@click.option(
    "--admin-email", required=True, help=("The email address of the first administrator, who gets the invitation.")
)
@click.option("--admin-name", default="", help="The name of the first administrator.")
@click.option("--accent", default=None, help="Accent colour. Derived from the name if omitted.")
@reporting
def create(slug: str, name: str, admin_email: str, admin_name: str, accent: str | None) -> Answer:
    """Create a tenant at SLUG.your-domain, or complete an interrupted creation."""
    from config.settings import load_settings
    from provisioning.create import create_tenant

    with progress("Reserving the address", total=4) as steps:
        made = create_tenant(
            load_settings(), slug, name, admin_email, admin_name=admin_name, accent=accent, progress=steps.show
        )
    names = ("slug", "schema", "role", "cell", "version", "url", "invitation_url", "seconds")
    shown = f"{made.url} is ready ({made.seconds} s).\nAdministrator's invitation: {made.invitation_url}"
    return Answer({"id": made.id} | {field: getattr(made, field) for field in names}, shown)


@tenant.command("list")
@click.option("--all", "everything", is_flag=True, help="Include deleted tenants.")
@reporting
def list_(everything: bool) -> Answer:
    """List tenants with their usage."""
    from config.settings import load_settings
    from provisioning.fleet import list_tenants

    found = list_tenants(load_settings(), everything=everything)
    return Answer({"tenants": [facts.as_dict() for facts in found]}, _table(found) if found else "No tenants.")


@tenant.command()
@click.argument("slug")
@reporting
def show(slug: str) -> Answer:
    """Show a tenant."""
    from config.settings import load_settings
    from provisioning.tenants import show_tenant

    facts = show_tenant(load_settings(), slug).as_dict(in_full=True)
    return Answer(facts, "\n".join(f"{name:<14} {_plain(value)}" for name, value in facts.items()))


@tenant.command()
@click.argument("slug")
@click.option("--reason", required=True, help="Emailed to all administrators and shown in the workspace.")
@reporting
def suspend(slug: str, reason: str) -> Answer:
    """Suspend a tenant. Its users can read and export, but not edit."""
    from config.settings import load_settings
    from provisioning.tenants import suspend

    return _done(suspend(load_settings(), slug, reason), "is suspended")


@tenant.command()
@click.argument("slug")
@reporting
def resume(slug: str) -> Answer:
    """Resume a suspended tenant, or cancel a deletion before it is due."""
    from config.settings import load_settings
    from provisioning.tenants import resume

    return _done(resume(load_settings(), slug), "is active")


@tenant.command()
@click.argument("slug")
@click.option("--to", "new_slug", default=None, help="The new address. The old one is never reused.")
@click.option("--name", default=None, help="The new name.")
@reporting
def rename(slug: str, new_slug: str | None, name: str | None) -> Answer:
    """Change a tenant's address, its name, or both. Sessions at the old address end."""
    from config.settings import load_settings
    from provisioning.tenants import rename

    facts = rename(load_settings(), slug, new_slug=new_slug, new_name=name)
    return _done(facts, f"is {facts.name}")


@tenant.command()
@click.argument("slug")
@click.argument("most", type=click.IntRange(min=1), required=False)
@reporting
def seats(slug: str, most: int | None) -> Answer:
    """Limit a tenant to MOST users. Without a number, the limit is removed."""
    from config.settings import load_settings
    from provisioning.tenants import limit

    saying = f"has a seat limit of {most:,}" if most else "has no seat limit"
    return _done(limit(load_settings(), slug, most), saying)


@tenant.command()
@click.argument("slug")
@click.option("--yes", "confirmation", metavar="SLUG", default=None, help="Confirm by repeating SLUG.")
@click.option(
    "--days",
    type=click.IntRange(0, 90),
    default=None,
    help=("Days until it is erased: 7 if never used, 30 to 90 if used."),
)
@click.option(
    "--reason", default="", help=("The reason, shown to the customer. Required if a user has ever signed in.")
)
@click.option("--now", is_flag=True, help="Erase a tenant that was never used immediately. This can't be undone.")
@reporting
def delete(slug: str, confirmation: str | None, days: int | None, reason: str, now: bool) -> Answer:
    """Delete a tenant that was never used. It is erased after a waiting period.

    If a user has ever signed in, this proposes to end the contract. Two operators confirm it in the console; then
    its administrators get an email, all data is exported, and it is erased after at least 30 days.
    """
    from config.settings import load_settings
    from provisioning.tenants import delete

    settings = load_settings()
    typed = confirmation if confirmation is not None else _ask_for(slug)
    facts = delete(settings, slug, confirmation=typed, days=days, now=now, reason=reason)
    if facts.state == "closed":
        return _done(facts, "is erased")
    if facts.delete_after is None:
        return _done(facts, "stays active until two operators confirm the end of its contract in the console")
    return _done(facts, f"is closed and will be erased after {facts.delete_after:%d %B %Y, %H:%M} UTC")


def _ask_for(slug: str) -> str:
    if not sys.stdin.isatty():
        return ""
    return str(click.prompt(f"Type {slug} to delete this tenant", err=True))


def _done(facts: TenantFacts, saying: str) -> Answer:
    return Answer(facts.as_dict(in_full=True), f"{facts.slug} {saying}.")


def _table(found: list[TenantFacts]) -> Any:
    from rich.table import Table

    table = Table("Name", "Organisation", "State", "Version", "Users", "Records", "MiB", "Last seen", box=None)
    for facts in found:
        size = f"{facts.bytes / 2**20:,.1f}"
        seen = _plain(facts.last_seen)
        table.add_row(
            facts.slug, facts.name, facts.state, facts.version, str(facts.users), f"{facts.records:,}", size, seen
        )
    return table


def _plain(value: object) -> str:
    from datetime import datetime

    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
