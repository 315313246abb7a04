"""Jobs that exist only in tests. Their visible effect is a row that nothing makes unique, so that a double shows."""

import os
import signal
import time
from uuid import uuid4

from qikbiz.jobs.job_context import JobContext
from qikbiz.jobs.job_outcomes import JobRefused
from qikbiz.kernel.errors import Unavailable
from qikbiz.messaging.mail.models import Mail, PlatformMail


def leave_effect(work: JobContext) -> None:
    """Work for `seconds`, looking up now and then, and leave one row that bears the job's id. Later tries are short."""
    end = time.monotonic() + (float(work.arguments.get("seconds", 0)) if work.attempt == 1 else 0)
    while (rest := end - time.monotonic()) > 0:
        work.progress(100 - int(rest * 10), 100, "Working")
        time.sleep(0.05)
    effect = Mail if work.tenant else PlatformMail
    with work.finish({"attempt": work.attempt, "process": os.getpid()}) as session:
        session.add(
            effect(dedupe_key=str(uuid4()), category="test", template=str(work.job_id), to_address="x@example.com")
        )


def never_look(work: JobContext) -> None:
    """Like leave_effect, but deaf to everything until its end."""
    time.sleep(float(work.arguments["seconds"]) if work.attempt == 1 else 0)
    parts = (work.claim, work.tenant, work._lease, work._guest_access)
    leave_effect(JobContext(*parts, lease_seconds=2, timeout_seconds=30))


def step_by_step(work: JobContext) -> None:
    for number in range(3):
        with work.step() as session:
            session.add(
                Mail(
                    dedupe_key=str(uuid4()),
                    category="test",
                    template=f"{work.job_id}/{number}",
                    to_address="x@example.com",
                )
            )
        time.sleep(float(work.arguments.get("seconds", 0)))


def refuse(work: JobContext) -> None:
    raise JobRefused("The file is empty.")


def stumble(work: JobContext) -> None:
    """Fail until the try that `good_try` names."""
    if work.attempt < int(work.arguments["good_try"]):
        raise RuntimeError("secret details")
    leave_effect(work)


def be_away(work: JobContext) -> None:
    raise Unavailable("The other side is away.")


def kill_me(work: JobContext) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def overrun(work: JobContext) -> None:
    time.sleep(20)
