"""How passwords are stored and compared (P7; NIST SP 800-63B-4, ASVS 6.2)."""

from __future__ import annotations

import threading
import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from qikbiz.kernel.database import runtime

LONGEST_BYTES = 1024
# Each hash takes its memory for tens of milliseconds; more at once than this would only wait for the processors.
_at_once = threading.BoundedSemaphore(4)


def normalised(password: str) -> str:
    """The same password however a keyboard composes its characters."""
    return unicodedata.normalize("NFKC", password)


def hash_password(password: str) -> str:
    with _at_once:
        return _hasher().hash(normalised(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether this is the password. Takes as long when no user has this name (`stored` None) as when one has."""
    if "\x00" in password or len(password.encode("utf-8", "surrogatepass")) > LONGEST_BYTES:
        password = ""
    try:
        with _at_once:
            _hasher().verify(stored or _nobodys_hash(), normalised(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than are used now."""
    return _hasher().check_needs_rehash(stored)


def _hasher() -> PasswordHasher:
    settings = runtime().settings
    return _made_hasher(settings.argon2_iterations, settings.argon2_memory_kib)


@lru_cache(maxsize=8)
def _made_hasher(iterations: int, memory_kib: int) -> PasswordHasher:
    return PasswordHasher(time_cost=iterations, memory_cost=memory_kib, parallelism=1)


def _nobodys_hash() -> str:
    settings = runtime().settings
    return _made_nobodys_hash(settings.argon2_iterations, settings.argon2_memory_kib)


@lru_cache(maxsize=8)
def _made_nobodys_hash(iterations: int, memory_kib: int) -> str:
    return _made_hasher(iterations, memory_kib).hash("nobody has this password")
