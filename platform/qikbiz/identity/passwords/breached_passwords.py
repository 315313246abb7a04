"""The range service of leaked passwords, asked only where the operator names one and an organisation wants it.

Five characters of the password's SHA-1 leave us; the service answers with all hashes that begin with them, padded so
that the size of the answer says nothing. Where it does not answer, the password passes and the log says so: the lists
that lie here were asked before, and no user is to be locked out by another service's outage.
"""

from __future__ import annotations

import hashlib
import logging

from qikbiz.kernel.circuit_breaker import CircuitBreaker
from qikbiz.kernel.database import runtime
from qikbiz.kernel.deadline import Deadline, OutOfTime
from qikbiz.kernel.http_client import OPERATORS_SERVICE, BadAddress, NotAnswered, fetch

LEAKED = "This password is in published lists of leaked passwords. Choose another one."
SECONDS = 2.0
_PREFIX = 5
_LONGEST_ANSWER = 512 * 1024
logger = logging.getLogger(__name__)


def is_available() -> bool:
    return runtime().settings.leaked_passwords_url is not None


def is_leaked(password: str) -> bool:
    """Whether the service knows this password. False when there is none, or when it does not answer in time."""
    url = runtime().settings.leaked_passwords_url
    if url is None:
        return False
    breaker = CircuitBreaker(f"leaked passwords {url}")
    if breaker.seconds_to_wait():
        return False
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    try:
        answer = _ask(url + digest[:_PREFIX])
    except (BadAddress, NotAnswered, UnicodeDecodeError, OutOfTime) as error:
        breaker.record_failure()
        logger.warning("leaked_passwords_not_asked", extra={"reason": type(error).__name__})
        return False
    breaker.record_success()
    return any(_says(line, digest[_PREFIX:]) for line in answer.splitlines())


def _ask(url: str) -> str:
    # The padding is lines with a count of 0.
    padded = {"Add-Padding": "true"}
    answer = fetch(url, OPERATORS_SERVICE, Deadline(SECONDS), headers=padded, longest=_LONGEST_ANSWER)
    return answer.body.decode("ascii")


def _says(line: str, rest: str) -> bool:
    suffix, _, times_seen = line.strip().partition(":")
    return suffix.upper() == rest and times_seen.strip().isdigit() and int(times_seen) > 0
