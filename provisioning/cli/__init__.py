"""The `qikbiz` command. Each topic is a module of its own, imported only when one of its commands is asked for."""

import importlib

import click

# name -> (module, attribute, what the help says)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "up": ("provisioning.cli.up", "up", "Run the whole product on this machine."),
    "migrate": ("provisioning.cli.migrate", "migrate", "Bring the databases to this program's version."),
    "tenant": ("provisioning.cli.tenant", "tenant", "Create and look after customer organisations."),
    "domain": ("provisioning.cli.domain", "domain", "Look after organisations' domains of their own."),
    "user": ("provisioning.cli.user", "user", "Create a login in one customer organisation."),
    "staff": ("provisioning.cli.staff", "staff", "Create operators and support agents."),
    "import": ("provisioning.cli.import_", "import_file", "Import a CSV file on a customer's instruction."),
    "undo-import": ("provisioning.cli.import_", "undo_import", "Take a whole import back."),
    "export": ("provisioning.cli.export", "export", "Export on a customer's instruction."),
    "verify": ("provisioning.cli.export", "verify", "Check that an export is whole."),
    "audit": ("provisioning.cli.audit", "audit", "Check audit files."),
    "receipt": ("provisioning.cli.receipt", "receipt", "Check the receipt of an erasure."),
    "tickets": ("provisioning.cli.tickets", "tickets", "Take in mails to the support."),
    "demo": ("provisioning.cli.demo", "demo", "Create the demo organisations."),
    "keys": ("provisioning.cli.keys", "keys", "Make the keys of an installation."),
    "doctor": ("provisioning.cli.doctor", "doctor", "Check every server, right, queue and clock."),
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
@click.option("--debug", is_flag=True, help="Show where an unexpected error came from.")
def qikbiz(debug: bool) -> None:
    """QikBiz CRM. Every command takes --json and then prints one JSON object on standard output.

    Exit codes: 0 done, 1 refused or failed, 2 the command was not understood.
    """


def main() -> None:
    qikbiz(prog_name="qikbiz")
