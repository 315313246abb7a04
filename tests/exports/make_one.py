"""Does one export's job in a process of its own and prints the most memory it ever took, in MiB."""

import resource
import sys
from uuid import UUID

from config.settings import load_settings
from qikbiz.web import create_app
from workers.wrapper import perform


def main(tenant_id: str, job_id: str) -> None:
    app = create_app(load_settings(), process="tests-export")
    with app.app_context():
        perform(UUID(tenant_id), UUID(job_id))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
