"""The conventions of every command: one JSON object, errors in a sentence on stderr, exit codes 0, 1 and 2."""

import importlib
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import click
import psycopg
import pytest
import redis
from click.testing import CliRunner, Result

from config.settings import SettingsError
from provisioning.cli import COMMANDS, qikbiz
from provisioning.cli.errors import Refused, sentence_for
from provisioning.cli.output import Answer, progress, reporting
from qikbiz.kernel.errors import Conflict


@click.command()
@click.argument("how", default="well")
@reporting
def example(how: str) -> Answer:
    print("a library's chatter")
    if how == "refused":
        raise Refused("Acme exists already.")
    if how == "badly":
        raise ZeroDivisionError("division by zero\nand a second line")
    with progress("Counting", total=2) as steps:
        steps.advance()
        steps.show(2, total=2, saying="Counted")
    facts = {"id": UUID(int=7), "file": Path("a.zip"), "price": Decimal("1.10")}
    return Answer(facts, "Counted two.", ok=how != "partly")


@click.group()
@click.option("--debug", is_flag=True)
def root(debug: bool) -> None:
    """A root like the real one."""


root.add_command(example)


def run(*words: str) -> Result:
    return CliRunner().invoke(root, words)


def test_a_person_reads_a_sentence_and_the_exit_code_is_0() -> None:
    result = run("example")
    assert result.stdout == "Counted two.\n"
    assert result.exit_code == 0


def test_json_prints_one_object_and_nothing_else_on_stdout() -> None:
    result = run("example", "--json")
    assert json.loads(result.stdout) == {"id": str(UUID(int=7)), "file": "a.zip", "price": "1.10"}
    assert "chatter" in result.stderr


def test_a_partial_failure_prints_its_facts_and_the_exit_code_is_1() -> None:
    result = run("example", "partly", "--json")
    assert json.loads(result.stdout)["file"] == "a.zip"
    assert result.exit_code == 1


def test_a_refusal_is_one_sentence_on_stderr_and_the_exit_code_is_1() -> None:
    result = run("example", "refused")
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1] == "qikbiz: Acme exists already."
    assert result.exit_code == 1


def test_a_refusal_with_json_is_still_one_object() -> None:
    result = run("example", "refused", "--json")
    assert json.loads(result.stdout) == {"error": "Acme exists already."}
    assert result.exit_code == 1


def test_an_unexpected_error_is_one_line_and_shows_its_traceback_with_debug() -> None:
    result = run("example", "badly")
    assert result.stderr.splitlines()[-1].startswith("qikbiz: division by zero. (ZeroDivisionError;")
    assert isinstance(run("--debug", "example", "badly").exception, ZeroDivisionError)


def test_a_command_not_understood_ends_with_2() -> None:
    assert run("example", "--nonsense").exit_code == 2
    assert CliRunner().invoke(qikbiz, ["nonsense"]).exit_code == 2
    assert CliRunner().invoke(qikbiz, ["keys", "new", "--nonsense"]).exit_code == 2


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SettingsError("PORT is 'x'; it must be a whole number."), "PORT is 'x'; it must be a whole number."),
        (Conflict("Ann has changed this meanwhile."), "Ann has changed this meanwhile."),
        (psycopg.OperationalError("connection refused"), "The database can't be reached: connection refused."),
        (redis.ConnectionError("Error 2 connecting"), "Redis can't be reached: Error 2 connecting."),
        (PermissionError(13, "Permission denied", "/x"), "/x can't be used: Permission denied."),
        (KeyboardInterrupt(), "Stopped."),
    ],
)
def test_each_kind_of_error_has_its_sentence(error: BaseException, sentence: str) -> None:
    assert sentence_for(error).startswith(sentence)


def test_keys_new_prints_a_ring_that_can_be_used() -> None:
    from config.keys import KeyRing

    result = CliRunner().invoke(qikbiz, ["keys", "new", "--json"])
    assert not KeyRing.parse(result.stdout).is_development


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_takes_json(name: str) -> None:
    module, attribute, _ = COMMANDS[name]
    command = getattr(importlib.import_module(module), attribute)
    commands = command.commands.values() if isinstance(command, click.Group) else [command]
    for one in commands:
        assert any("--json" in parameter.opts for parameter in one.params), one.name


def test_help_loads_no_framework_and_answers_at_once() -> None:
    code = "import sys; from provisioning.cli import qikbiz; qikbiz(['-h'], standalone_mode=False); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "doctor" in said
    assert not {"flask", "sqlalchemy", "redis", "psycopg", "rich"} & set(said.split())
