"""`qikbiz keys`: the secrets of an installation."""

import json

import click

from config.keys import new_key_ring_json
from provisioning.cli.output import Answer, reporting


@click.group()
def keys() -> None:
    """Create the encryption keys of an installation."""


@keys.command()
@reporting
def new() -> Answer:
    """Print a new key ring for QIKBIZ_KEYS_FILE. It is not saved: store it yourself."""
    ring = new_key_ring_json()
    return Answer(json.loads(ring), ring)
