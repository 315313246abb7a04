"""How good a password is, in a word and a bar, while it is being chosen. What counts is `acceptance.problem_with`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qikbiz.identity.accounts.realms import current_realm
from qikbiz.identity.passwords import acceptance
from qikbiz.identity.sign_in_policy.queries import policy_of

# Judging takes longer with every character, and what is so long is strong or a repetition, which the rules find.
_JUDGED = 72
_WORDS = ("Not accepted", "Weak", "Fair", "Good", "Very good")
# Guesses that an attacker needs, as a power of ten: the library's own estimate.
_STEPS = (10, 13, 16)


@dataclass(frozen=True, slots=True)
class Strength:
    """`level` 0 (not accepted) to 4; `word` names it and `text` says why or what to do."""

    level: int
    word: str
    text: str


def strength_of(password: str, *, names: Sequence[str] = ()) -> Strength:
    """The verdict of the rules first, then an estimate for what they accept."""
    if not password:
        return Strength(0, "", "")
    problem = acceptance.problem_with(password, context=names, policy=policy_of(current_realm()), ask_outside=False)
    if problem:
        return Strength(0, _WORDS[0], problem)
    power = _estimate(password, names)
    level = 1 + sum(power >= step for step in _STEPS)
    return Strength(level, _WORDS[level], "" if level > 2 else "One more unrelated word makes it much stronger.")


def _estimate(password: str, names: Sequence[str]) -> float:
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its lists take memory that most processes never need

    return float(zxcvbn(password[:_JUDGED], user_inputs=[name for name in names if name])["guesses_log10"])
