"""What is raised where the password was given more than a quarter of an hour ago (`fresh` of `kernel/access.py`)."""

from __future__ import annotations

from qikbiz.kernel.errors import Forbidden


class ConfirmationNeeded(Forbidden):
    """The password was given too long ago for this."""

    status, key = 403, "confirmation_needed"
