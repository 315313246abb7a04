"""A supervisor in a process of its own: `python -m tests.supervision.supervisor_process FOLDER MANNERS`."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path

from config.supervision import Kept, NotKept, Supervisor, execute


def main(folder: Path, manners: dict[str, str]) -> int:
    supervisor = Supervisor(partial(print, flush=True), most_tries=3)
    ear, mouth = os.pipe()
    for name, manner in manners.items():
        command = [sys.executable, folder / "waiter.py", name, manner]
        begin = partial(execute, command, environment=dict(os.environ), directory=folder, output=mouth)
        is_server = name.startswith("server")
        supervisor.add(Kept(name, begin, seconds_to_end=2.0, is_server=is_server, gives_up_by=3))
    try:
        supervisor.run()
    except NotKept as sentence:
        print(sentence, flush=True)
        return 1
    os.close(ear)
    print("all ended", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), json.loads(sys.argv[2])))
