"""`qikbiz up`: what `make run` calls."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from provisioning.cli.output import Answer, announcement, reporting

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Settings


@click.command()
@click.option("--verbose", is_flag=True, help="Show all log lines, not only warnings and errors.")
@click.option("--tls", is_flag=True, help="Serve over TLS, with a local certificate authority.")
@reporting
def up(verbose: bool, tls: bool) -> None:
    """Run the whole product on this machine: servers, databases, demo, web and workers. Ctrl-C stops it."""
    from config.settings import load_settings, served_over_tls, without_tls  # noqa: PLC0415 - kept out of `--help`
    from provisioning.up import run_everything  # noqa: PLC0415

    settings, announce = load_settings(), announcement()
    if tls:
        from provisioning.development_tls import refuse_foreign_domain  # noqa: PLC0415

        refuse_foreign_domain(settings.base_domain)
    settings = served_over_tls(settings) if tls else without_tls(settings)
    run_everything(
        settings,
        say=lambda sentence: click.echo(sentence, err=True),
        when_ready=lambda: announce(_addresses(settings)),
        everything=verbose,
    )


def _addresses(settings: "Settings") -> Answer:
    """The addresses, and who may sign in there. Demo users exist in development only."""
    from provisioning.demo import demo_logins  # noqa: PLC0415

    domain = settings.base_domain
    places = {
        "Public site": settings.origin(domain),
        "Console": settings.origin(f"console.{domain}"),
        "Emails": f"{settings.origin(domain)}/mails",
    }
    logins = demo_logins(settings) if settings.environment == "development" else ()
    facts: dict[str, object] = {"addresses": places, "logins": [asdict(login) for login in logins]}
    if logins:
        places["Staff codes"] = f"{settings.origin(domain)}/demo-codes"
    lines = ["", "QikBiz is running. Ctrl-C stops it.", "", *_columns(list(places.items()))]
    if settings.tls_file:
        authority = settings.tls_file.with_name("authority.pem")
        facts["authority"] = str(authority)
        lines += _how_to_trust(authority)
    if logins:
        rows = [(login.url, login.email, login.password, f"{login.name}, {login.role}") for login in logins]
        lines += ["", "Demo accounts:", "", *_columns(rows)]
    return Answer(facts, "\n".join([*lines, ""]))


def _how_to_trust(authority: "Path") -> list[str]:
    ways = [
        ("Firefox", "Settings, Privacy & Security, View Certificates, Authorities, Import"),
        ("Chrome, Linux", f"certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n QikBiz-development -i {authority}"),
        (
            "Debian, Ubuntu",
            f"sudo cp {authority} /usr/local/share/ca-certificates/qikbiz.crt && sudo update-ca-certificates",
        ),
        ("macOS", f"security add-trusted-cert -k ~/Library/Keychains/login.keychain-db {authority}"),
        ("curl", f"curl --cacert {authority} …"),
    ]
    head = "Trust its certificate authority once. It can only sign certificates for localhost and its subdomains:"
    return ["", head, f"  {authority}", "", *_columns(ways)]


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "   ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
