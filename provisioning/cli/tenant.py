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
    """Create and look after customer organisations."""


@tenant.command()
@click.argument("slug")
@click.option("--name", required=True, help="The organisation's name, as people write it.")
@click.option("--admin-email", required=True, help="Who gets the invitation as first administrator.")
@click.option("--admin-name", default="", help="The administrator's name.")
@click.option("--accent", default=None, help="Colour of the pages; chosen by the name when left out.")
@reporting
def create(slug: str, name: str, admin_email: str, admin_name: str, accent: str | None) -> Answer:
    """Create an organisation at SLUG.your-domain, or finish what a killed run began."""
    from config.settings import load_settings
    from provisioning.create import create_tenant

    with progress("Reserving the name", total=4) as steps:
        made = create_tenant(
            load_settings(), slug, name, admin_email, admin_name=admin_name, accent=accent, progress=steps.show
        )
    names = ("slug", "schema", "role", "cell", "version", "url", "invitation_url", "seconds")
    shown = f"{made.url} is ready ({made.seconds} s).\nThe administrator's invitation: {made.invitation_url}"
    return Answer({"id": made.id} | {field: getattr(made, field) for field in names}, shown)


@tenant.command("list")
@click.option("--all", "everything", is_flag=True, help="Deleted organisations too.")
@reporting
def list_(everything: bool) -> Answer:
    """List the organisations with their figures."""
    from config.settings import load_settings
    from provisioning.fleet import list_tenants

    found = list_tenants(load_settings(), everything=everything)
    return Answer({"tenants": [facts.as_dict() for facts in found]}, _table(found) if found else "No organisation yet.")


@tenant.command()
@click.argument("slug")
@reporting
def show(slug: str) -> Answer:
    """Show one organisation."""
    from config.settings import load_settings
    from provisioning.tenants import show_tenant

    facts = show_tenant(load_settings(), slug).as_dict(in_full=True)
    return Answer(facts, "\n".join(f"{name:<14} {_plain(value)}" for name, value in facts.items()))


@tenant.command()
@click.argument("slug")
@click.option("--reason", required=True, help="Every administrator is mailed it, and it stands on their pages.")
@reporting
def suspend(slug: str, reason: str) -> Answer:
    """Let an organisation read and export, and change nothing, for a time."""
    from config.settings import load_settings
    from provisioning.tenants import suspend

    return _done(suspend(load_settings(), slug, reason), "is suspended")


@tenant.command()
@click.argument("slug")
@reporting
def resume(slug: str) -> Answer:
    """Lift a suspension, or call a deletion off before it is due."""
    from config.settings import load_settings
    from provisioning.tenants import resume

    return _done(resume(load_settings(), slug), "is open")


@tenant.command()
@click.argument("slug")
@click.option("--to", "new_slug", default=None, help="The new address. The old one is given to nobody else.")
@click.option("--name", default=None, help="The new name.")
@reporting
def rename(slug: str, new_slug: str | None, name: str | None) -> Answer:
    """Change an organisation's address, its name, or both. Logins at the old address end."""
    from config.settings import load_settings
    from provisioning.tenants import rename

    facts = rename(load_settings(), slug, new_slug=new_slug, new_name=name)
    return _done(facts, f"is {facts.name}")


@tenant.command()
@click.argument("slug")
@click.argument("most", type=click.IntRange(min=1), required=False)
@reporting
def seats(slug: str, most: int | None) -> Answer:
    """Let at most MOST people have a login at an organisation; without a number, as many as it likes."""
    from config.settings import load_settings
    from provisioning.tenants import limit

    saying = f"has seats for {most:,}" if most else "has no limit of seats"
    return _done(limit(load_settings(), slug, most), saying)


@tenant.command()
@click.argument("slug")
@click.option("--yes", "confirmation", metavar="SLUG", default=None, help="Type the name again to confirm.")
@click.option("--days", type=click.IntRange(0, 90), default=None, help="Never used: until erased (7). Used: 30 to 90.")
@click.option("--reason", default="", help="Why, for the customer; needed when somebody ever signed in there.")
@click.option("--now", is_flag=True, help="Erase at once one that nobody ever signed in to, without a way back.")
@reporting
def delete(slug: str, confirmation: str | None, days: int | None, reason: str, now: bool) -> Answer:
    """Close for good an organisation that nobody ever signed in to. It is erased after a waiting period.

    Where somebody did, this proposes to end the contract. Two operators confirm it at the console; then its
    administrators are mailed, everything is exported, and it is erased after thirty days at least.
    """
    from config.settings import load_settings
    from provisioning.tenants import delete

    settings = load_settings()
    typed = confirmation if confirmation is not None else _ask_for(slug)
    facts = delete(settings, slug, confirmation=typed, days=days, now=now, reason=reason)
    if facts.state == "closed":
        return _done(facts, "is erased")
    if facts.delete_after is None:
        return _done(facts, "goes on until two operators have confirmed at the console that its contract is ended")
    return _done(facts, f"is closed and will be erased after {facts.delete_after:%d %B %Y, %H:%M} UTC")


def _ask_for(slug: str) -> str:
    if not sys.stdin.isatty():
        return ""
    return str(click.prompt(f"Type {slug} to delete this organisation", err=True))


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
