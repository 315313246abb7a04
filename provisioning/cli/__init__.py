"""The `qikbiz` command. Each topic is a module of its own, imported only when one of its commands is asked for."""

import importlib

import click

# name -> (module, attribute, what the help says)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "up": ("provisioning.cli.up", "up", "Run the whole product on this machine."),
    "migrate": ("provisioning.cli.migrate", "migrate", "Migrate the databases to this version."),
    "tenant": ("provisioning.cli.tenant", "tenant", "Create and manage tenants."),
    "domain": ("provisioning.cli.domain", "domain", "Manage custom domains of tenants."),
    "user": ("provisioning.cli.user", "user", "Create or request a user in a tenant."),
    "staff": ("provisioning.cli.staff", "staff", "Create or invite operators and support agents."),
    "import": ("provisioning.cli.import_", "import_file", "Import a CSV file on a customer's instruction."),
    "undo-import": ("provisioning.cli.import_", "undo_import", "Undo an import."),
    "export": ("provisioning.cli.export", "export", "Export on a customer's instruction."),
    "verify": ("provisioning.cli.export", "verify", "Verify an export."),
    "audit": ("provisioning.cli.audit", "audit", "Verify and export audits."),
    "receipt": ("provisioning.cli.receipt", "receipt", "Verify an erasure receipt."),
    "tickets": ("provisioning.cli.tickets", "tickets", "Receive support emails."),
    "demo": ("provisioning.cli.demo", "demo", "Create the demo tenants."),
    "keys": ("provisioning.cli.keys", "keys", "Create encryption keys."),
    "doctor": ("provisioning.cli.doctor", "doctor", "Check servers, rights, queues and clocks."),
}


class Topics(click.Group):
    """A group whose commands are imported when they are needed, so that `--help` and errors answer at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in COMMANDS.items()])


@click.command(cls=Topics, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error.")
def qikbiz(debug: bool) -> None:
    """QikBiz CRM. Every command takes --json and then prints one JSON object on standard output.

    Exit codes: 0 success, 1 refused or failed, 2 invalid usage.
    """


def main() -> None:
    qikbiz(prog_name="qikbiz")
