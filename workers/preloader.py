"""`python -m workers.preloader FILE NAME=PIPE…`: loads the product once and forks the Procfile's processes from it.

`qikbiz up` starts it with a pipe for each process's lines, and says on FILE which ones to begin, a name a line. Their
memory is shared as long as none writes to it: eight programs of their own would take 100 MiB each. Until the fork there
is no connection and no thread, and nothing of the provisioner's login.
"""

from __future__ import annotations

import gc
import os
import runpy
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import partial

from config.settings import SettingsError, load_settings, set_for_children
from config.supervision import Kept, NotKept, Supervisor, fork_child, name_process, redirect
from config.web_server.master import FIGURES
from provisioning.procfile import ROOT, processes_of
from provisioning.up import GIVES_UP, PRELOADER


def main(arguments: list[str]) -> int:
    orders = int(arguments[0])
    pipes = {name: int(file) for name, _, file in (word.partition("=") for word in arguments[1:])}
    try:
        _load()
    except SettingsError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    supervisor = Supervisor(lambda sentence: print(sentence, file=sys.stderr, flush=True))
    supervisor.when_readable(orders, partial(_obey, orders, supervisor, pipes))
    try:
        supervisor.run()
    except NotKept as sentence:
        print(sentence, file=sys.stderr)
        return GIVES_UP
    return 0


def _load() -> None:
    # What a collection frees leaves holes among what is shared, which each fork would fill by copying the page.
    gc.disable()
    settings = load_settings()
    # The library that counts looks for it when it is loaded.
    set_for_children(FIGURES, str(settings.home / "figures"))
    (settings.home / "figures").mkdir(parents=True, exist_ok=True)
    from qikbiz.app.preloaded import preload  # noqa: PLC0415 - the line above must come first
    from workers import entrances  # noqa: PLC0415

    assert entrances.LOADED
    preload(settings)
    gc.freeze()


def _obey(orders: int, supervisor: Supervisor, pipes: Mapping[str, int]) -> None:
    said = os.read(orders, 65536)
    if not said:  # `qikbiz up` has ended
        supervisor.stop()
        return
    commands = processes_of()
    # Before the first fork: what is written here afterwards is shared no longer. The databases are ready by now.
    _warm_up()
    for name in said.decode().split():
        begin = _beginning(name, commands[name], pipes[name])
        supervisor.add(Kept(name, begin, seconds_to_end=6.0))


def _warm_up() -> None:
    from qikbiz.app.preloaded import application  # noqa: PLC0415 - loaded by _load, which must come first
    from workers.process import warm_up  # noqa: PLC0415

    warm_up(application(load_settings(), process=PRELOADER))


def _beginning(name: str, command: str, output: int) -> Callable[[], int]:
    words = command.split()
    if words[:2] == ["python", "-m"]:
        return partial(fork_child, partial(_become, name, words[2], words[3:], output))
    return partial(_run, command, output)


def _run(command: str, output: int) -> int:
    """Anything else that a Procfile may name, as a program of its own."""

    def work() -> int:
        redirect(output)
        os.chdir(ROOT)
        os.execv("/bin/sh", ["/bin/sh", "-c", f"exec {command}"])

    return fork_child(work)


def _become(name: str, module: str, arguments: list[str], output: int) -> int:
    """Do in this fork what `python -m module arguments` would do."""
    gc.enable()
    redirect(output)
    name_process(name)
    os.chdir(ROOT)
    sys.argv = [module, *arguments]
    with warnings.catch_warnings():
        # It is loaded already, on purpose.
        warnings.simplefilter("ignore", RuntimeWarning)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
