"""`qikbiz receipt`: whether the receipt of an erasure is as it was signed. Needs the file and a public key."""

from __future__ import annotations

import json
from pathlib import Path

import click

from provisioning.cli.output import Answer, reporting

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `--help` answers at once


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "public_key", required=True, help="The public key from /receipts/keys on the public site.")
@reporting
def receipt(file: Path, public_key: str) -> Answer:
    """Verify that an erasure receipt was signed with this key and not changed since. Needs no server."""
    from provisioning.cli.errors import Refused
    from qikbiz.trust.data_subject_requests.receipts import FORMAT, is_signed

    try:
        handed_out = json.loads(file.read_text(encoding="utf-8"))
        document = handed_out["document"]
        if document["format"] != FORMAT:
            raise ValueError
        is_good = is_signed(handed_out, public_key.strip().lower())
        facts = {
            "signed": is_good,
            "organisation": document["organisation"]["name"],
            "record": document["record"]["id"],
        }
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(f"{file} isn't an erasure receipt, or the key isn't 64 hexadecimal digits.") from error
    if not is_good:
        return Answer(facts, f"{file} was NOT signed with this key, or was changed since.", ok=False)
    about = f"contact {facts['record']} of {facts['organisation']}, erased at {document.get('erased_at')}"
    return Answer(facts, f"{file} is genuine: {about}.")
