"""What can be refused about second factors, in the words the person reads."""

from __future__ import annotations

from qikbiz.kernel.errors import Conflict, Failure


class WrongCode(Failure):
    """Neither the present code of the app nor an unused recovery code. Which of them it was not is not said."""

    status, key = 401, "wrong_code"


class MoreNeeded(Failure):
    """Codes are being guessed for this person: one from the person's mail is asked for first."""

    status, key = 401, "wrong_code"


class PasskeyRefused(Failure):
    """The answer of a passkey that is not ours, not for this question, or not of this person."""

    status, key = 401, "passkey_refused"


class LastFactor(Conflict):
    """A second factor is asked for here, so the last one stays until there is another."""
