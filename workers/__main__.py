"""`python -m workers QUEUE`: one worker process for one queue."""

from __future__ import annotations

import sys

from config.logging import configure_logging
from config.settings import SettingsError, load_settings
from workers import process
from workers.worker import WorkerRefused, make_worker


def main(arguments: list[str]) -> int:
    try:
        settings = load_settings()
        configure_logging(f"worker-{arguments[0] if arguments else ''}", settings.log_level)
        worker = make_worker(settings, arguments)
    except (SettingsError, WorkerRefused) as refusal:
        print(refusal, file=sys.stderr)
        return 2
    process.start(settings, f"worker-{arguments[0]}")
    # RQ tells of every breath; what matters about a job stands on our own lines.
    worker.work(logging_level="WARNING")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
