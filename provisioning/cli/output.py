"""What every command shares: its answer as text or as one JSON object, its progress, its errors and exit codes.

@click.command()
@click.argument("slug")
@reporting
def suspend(slug: str) -> Answer:
    tenant = suspend_tenant(load_settings(), slug)
    return Answer({"slug": tenant.slug}, f"{slug} is suspended.")
"""

import functools
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO
from uuid import UUID

import click

from provisioning.cli.errors import sentence_for

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Answer:
    """What a command found or did: `facts` for scripts, `shown` (text or a rich table) for people.

    `ok=False` prints just the same but ends with exit code 1.
    """

    facts: Mapping[str, object]
    shown: "RenderableType" = ""
    ok: bool = True


_STDOUT = "qikbiz.stdout"


def reporting(command: Callable[..., Answer | None]) -> Callable[..., None]:
    """Give a command `--json`, one sentence on stderr for an error, and exit codes 0 and 1."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
    @functools.wraps(command)
    def run(*arguments: Any, as_json: bool, **options: Any) -> None:
        context = click.get_current_context()
        context.meta[_STDOUT] = sys.stdout
        try:
            # Anything a library prints on the way must not end up beside the JSON object.
            with redirect_stdout(sys.stderr):
                answer = command(*arguments, **options)
        except click.ClickException:
            raise
        except (Exception, KeyboardInterrupt) as error:
            answer = _failure(error)
        if answer is not None:
            announcement()(answer)
        context.exit(0 if answer is None or answer.ok else 1)

    return run


def announcement() -> Callable[[Answer], None]:
    """For a command that goes on after its answer: a function that prints it, from any thread."""
    context = click.get_current_context()
    return functools.partial(_print, as_json=bool(context.params["as_json"]), file=context.meta[_STDOUT])


def _print(answer: Answer, *, as_json: bool, file: TextIO) -> None:
    if as_json:
        click.echo(json.dumps(answer.facts, default=_plain), file=file)
    elif answer.shown:
        from rich.console import Console  # noqa: PLC0415 - only people's output needs it

        Console(file=file, markup=False, highlight=False, soft_wrap=True).print(answer.shown)


def _failure(error: BaseException) -> Answer:
    if click.get_current_context().find_root().params.get("debug"):
        raise error
    sentence = sentence_for(error)
    click.echo(f"qikbiz: {sentence}", err=True)
    return Answer({"error": sentence}, ok=False)


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Path | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class Steps(Protocol):
    """A progress bar that is being filled."""

    def advance(self, count: int = 1) -> None: ...

    def show(self, done: int, total: int | None = None, saying: str | None = None) -> None: ...


@contextmanager
def progress(saying: str, total: int | None = None) -> Iterator[Steps]:
    """A bar on stderr when a person is watching, silence otherwise. `total=None` pulses until it is known."""
    if not sys.stderr.isatty():
        yield _Silence()
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bars:
        yield _Bar(bars, bars.add_task(saying, total=total))


class _Silence:
    def advance(self, count: int = 1) -> None:
        pass

    def show(self, done: int, total: int | None = None, saying: str | None = None) -> None:
        pass


class _Bar:
    def __init__(self, bars: Any, task: Any) -> None:
        self._bars = bars
        self._task = task

    def advance(self, count: int = 1) -> None:
        self._bars.advance(self._task, count)

    def show(self, done: int, total: int | None = None, saying: str | None = None) -> None:
        self._bars.update(self._task, completed=done, total=total, description=saying)
