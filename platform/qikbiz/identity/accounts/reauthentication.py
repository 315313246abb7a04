"""Some acts ask for the password again when it was given more than a quarter of an hour ago."""

from __future__ import annotations

from qikbiz.kernel.errors import Forbidden


class ConfirmationNeeded(Forbidden):
    """The password was given too long ago for this."""

    status, key = 403, "confirmation_needed"
