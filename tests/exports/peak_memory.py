"""Does one export's job in a process of its own and prints the most memory it ever took, in MiB."""

import re
import sys
from pathlib import Path
from uuid import UUID

from config.settings import load_settings
from qikbiz.app.application import create_app
from workers.run_job import perform


def main(tenant_id: str, job_id: str) -> None:
    app = create_app(load_settings(), process="tests-export")
    with app.app_context():
        perform(UUID(tenant_id), UUID(job_id))
    # Not getrusage: its maximum survives exec, so it would be that of the tests' own process.
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    print(int(found[1]) // 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
