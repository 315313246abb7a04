"""`python -m workers QUEUE`: one worker process for one queue."""

from __future__ import annotations

import sys

from config.logging import configure_logging
from config.settings import SettingsError, load_settings
from workers import process
from workers.lanes import IDLE_SECONDS, Lanes
from workers.worker import ReliableWorker, WorkerRefused, make_worker


def main(arguments: list[str]) -> int:
    try:
        settings = load_settings()
        configure_logging(f"worker-{arguments[0] if arguments else ''}", settings.log_level)
        worker = make_worker(settings, arguments)
    except (SettingsError, WorkerRefused) as refusal:
        print(refusal, file=sys.stderr)
        return 2
    process.start(settings, f"worker-{arguments[0]}")
    worker.lanes = Lanes(arguments[0], lambda: _work(make_worker(settings, arguments), idle_seconds=IDLE_SECONDS))
    _work(worker)
    worker.lanes.wait()
    return 0


def _work(worker: ReliableWorker, *, idle_seconds: int | None = None) -> None:
    # RQ logs every step; our own lines say what matters about a job.
    worker.work(logging_level="WARNING", max_idle_time=idle_seconds)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
