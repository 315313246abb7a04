"""`--grant` and `--instruction`: what a command that works for a customer names."""

from __future__ import annotations

import functools
from collections.abc import Callable

import click

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


def by_word_of_the_customer(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command both options; it gets them as `authority`. Exactly one has to be named."""

    @functools.wraps(command)
    def named(*arguments: object, grant: str | None, instruction: str | None, **options: object) -> object:
        from provisioning.instructions import Authority

        if (grant is None) == (instruction is None):
            raise click.UsageError("Use either --grant REFERENCE or --instruction REFERENCE.")
        return command(*arguments, authority=Authority(grant or "", instruction or ""), **options)

    for option in (
        click.option("--grant", metavar="REFERENCE", help="Support access that the customer granted: G-…"),
        click.option(
            "--instruction",
            metavar="REFERENCE",
            help="A confirmed instruction (G-…) or the ticket that requests it (QB-…). If no user has ever signed "
            "in: who requested it and where that is documented.",
        ),
    ):
        named = option(named)
    return named
