"""`qikbiz demo`."""

from __future__ import annotations

from dataclasses import asdict

import click

from provisioning.cli.output import Answer, reporting

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


@click.command()
@reporting
def demo() -> Answer:
    """Create or complete the demo tenants Acme and Globex. Their passwords are public: not for production."""
    from config.settings import load_settings
    from provisioning.demo import demo_logins, ensure_demo

    settings = load_settings()
    made, logins = ensure_demo(settings), demo_logins(settings)
    lines = [f"Created: {', '.join(made)}." if made else "The demo tenants already exist."]
    lines += [f"{login.url}   {login.email}   {login.password}   ({login.role})" for login in logins]
    return Answer({"made": made, "logins": [asdict(login) for login in logins]}, "\n".join(lines))
