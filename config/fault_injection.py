"""Points at which a test may make a process die, stop, sleep or fail. They do nothing unless QIKBIZ_FAULT names them.

QIKBIZ_FAULT is `point=action[:argument][@times]`, separated by commas; the actions: kill, stop, raise, sleep, full.
`@1` and a QIKBIZ_FAULT_DIR make a point act once for all processes together. Settings refuse both in production. They
are read here and not there, since a point may be passed before settings are loaded.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path


class FaultInjected(Exception):
    """What the action `raise` raises."""


def fault(point: str) -> None:
    """Pass a fault point. Costs one dictionary look-up when none is set."""
    wanted = os.environ.get("QIKBIZ_FAULT")
    if wanted:
        for entry in wanted.split(","):
            name, _, action = entry.partition("=")
            if name == point:
                _act(point, action)


def _act(point: str, action: str) -> None:
    action, _, times = action.partition("@")
    if times and not _may_act(point, int(times)):
        return
    verb, _, argument = action.partition(":")
    if verb == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif verb == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif verb == "sleep":
        time.sleep(float(argument or 1))
    elif verb == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    elif verb == "raise":
        raise FaultInjected(point)


def _may_act(point: str, times: int) -> bool:
    directory = Path(os.environ["QIKBIZ_FAULT_DIR"])
    for turn in range(times):
        try:
            (directory / f"{point}.{turn}").touch(exist_ok=False)
        except FileExistsError:
            continue
        return True
    return False
