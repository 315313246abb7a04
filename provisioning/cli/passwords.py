"""A password for a command: never an argument, where the whole machine could read it."""

from __future__ import annotations

import sys

import click

from provisioning.cli.errors import Refused


def read_password(*, from_stdin: bool) -> str:
    """One line of standard input, or typed twice without being shown."""
    stdin = sys.stdin
    if from_stdin:
        password = stdin.readline().rstrip("\r\n")
        if not password:
            raise Refused("No password on standard input.")
        return password
    if not stdin.isatty():
        raise Refused("There is no terminal to prompt for the password. Use --password-stdin.")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
