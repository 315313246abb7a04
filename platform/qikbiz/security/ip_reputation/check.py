"""The check before the view: may this address, with nobody signed in, be answered?

A signed-in user is never checked: an honest colleague behind the same address can continue to work.
"""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta
from uuid import UUID

from flask import request

from qikbiz.kernel import clock
from qikbiz.kernel.errors import Blocked, TooMany
from qikbiz.kernel.networks import Address
from qikbiz.security.ip_reputation.limiter import answer

SLOW_SECONDS = (0.5, 2.0)
# Waiting takes a thread; beyond these few the answer is "later", so that slow clients can't use up the server.
_waiting = threading.BoundedSemaphore(2)


def admit_anonymous(address: Address, tenant_id: UUID | None = None) -> None:
    """Let the request pass, let it wait, or raise Blocked or TooMany."""
    found = answer(address, tenant_id)
    if found.verdict == "block":
        raise Blocked(found.reference, retry_at=found.until)
    if found.verdict == "slow" and request.method == "POST":
        _wait()


def _wait() -> None:
    if not _waiting.acquire(blocking=False):
        raise TooMany(retry_at=clock.now() + timedelta(seconds=5))
    try:
        time.sleep(random.uniform(*SLOW_SECONDS))
    finally:
        _waiting.release()
