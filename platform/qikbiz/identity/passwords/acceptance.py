"""Whether a new password is accepted: the same rules on every path that sets one (P7; NIST SP 800-63B-4, ASVS 6.2)."""

from __future__ import annotations

from collections.abc import Iterable

from qikbiz.identity.passwords.breached_passwords import LEAKED, is_leaked
from qikbiz.identity.passwords.common_passwords import weakness_of
from qikbiz.identity.passwords.hashing import LONGEST_BYTES, normalised
from qikbiz.identity.sign_in_policy.rules import FLOOR, SHORTEST, Policy


def problem_with(
    password: str, *, context: Iterable[str] = (), policy: Policy = FLOOR, ask_outside: bool = True
) -> str | None:
    """Why this password is not accepted, in a sentence, or None. The same rules on every path that sets one.

    `context` are words that an attacker would try first: the names of the tenant and of the person, the address.
    `policy` is the organisation's own; without `ask_outside` no other service is asked, however configured.
    """
    if "\x00" in password:
        return "The password contains a character that keyboards can't type. Choose another one."
    if len(password.encode("utf-8", "surrogatepass")) > LONGEST_BYTES:
        return f"The password is too long. Use at most {LONGEST_BYTES} bytes, that is about as many letters."
    password = normalised(password)
    shortest = max(SHORTEST, policy.least_characters)
    if len(password) < shortest:
        return f"Use at least {shortest} characters. Three or four unrelated words are easy to remember."
    problem = weakness_of(password, context)
    if problem is None and ask_outside and policy.asks_range_service and is_leaked(password):
        return LEAKED
    return problem
