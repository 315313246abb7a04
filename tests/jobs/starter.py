"""Starts workers and sweepers by forking itself, as `workers.preloader` does: what they share is made once.

It reads one order a line (JSON) and answers with a process id; how a process ended is written beside its log.
"""

import gc
import json
import os
import select
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from config.settings import load_settings
from qikbiz.app.preloaded import application, preload
from tests.fixtures import compiled_templates
from tests.jobs import feature
from workers import process as worker_process
from workers import schedule, sweeper, worker
from workers.__main__ import main as work

feature.install()
# Looked at more often than a whole second, which is the least that the environment can say.
SWEEP_SECONDS = 0.25
worker.MONITORING_SECONDS = 1


def sweep(_: list[str]) -> int:
    # No periodic work among the jobs that a test counts.
    sweeper.start_due_work = lambda: schedule.start_due_work(entries=())
    sweeper.load_settings = lambda: replace(load_settings(), sweep_seconds=SWEEP_SECONDS)
    return sweeper.main()


MAINS = {"worker": work, "sweeper": sweep}


_is_loaded = False


def load(environment: dict[str, str]) -> None:
    """Make the application as the first order has it; a process with other settings makes one of its own."""
    global _is_loaded  # noqa: PLW0603 - one for each process
    _is_loaded = True
    os.environ.update(environment)
    settings = load_settings()
    compiled_templates.lend(settings.home)
    preload(settings)
    compiled_templates.keep(settings.home)
    worker_process.warm_up(application(settings, process="tests"))
    gc.freeze()


def serve() -> None:
    ends: dict[int, Path] = {}
    while True:
        if select.select([sys.stdin], [], [], 0.02)[0]:
            line = sys.stdin.readline()
            if not line:
                return
            order = json.loads(line)
            if not _is_loaded:
                load(order["environment"])
            process = start(order)
            ends[process] = Path(order["log"]).with_suffix(".end")
            print(process, flush=True)
        while ends and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            draft = ends[ended[0]].with_suffix(".part")
            draft.write_text(str(os.waitstatus_to_exitcode(ended[1])))
            draft.replace(ends.pop(ended[0]))


def start(order: dict[str, Any]) -> int:
    process = os.fork()
    if process:
        return process
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(order["environment"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = 1
    try:
        code = MAINS[order["main"]](order["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        sys.stderr.flush()
        os._exit(code)
    return 0


if __name__ == "__main__":
    serve()
