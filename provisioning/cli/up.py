"""`qikbiz up`: what `make run` calls."""

import click


@click.command()
@click.option("--verbose", is_flag=True, help="Show every log line, not only warnings and errors.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object once the product answers.")
def up(verbose: bool, as_json: bool) -> None:
    """Run the whole product on this machine until Ctrl-C: servers, databases, demo, web and workers."""
