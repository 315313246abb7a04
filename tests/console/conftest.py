"""Running a platform job here and now, by the code that a worker runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from qikbiz.jobs.models import PlatformJob
from tenants.runtime import Runtime


@pytest.fixture
def run_platform_job(working: Runtime) -> Callable[[PlatformJob], None]:
    from workers.run_job import perform

    def run(job: PlatformJob) -> None:
        perform(None, job.id)

    return run
