"""How a job may fail in a way that trying again can't mend, wait without having failed, or be taken from its worker."""

from datetime import datetime

from qikbiz.kernel.errors import Failure


class JobRefused(Failure):
    """The job can never succeed. The text is shown to the person who asked for it."""

    status, key = 409, "conflict"


class LeaseLost(Exception):
    """The claim is lost: another worker holds the job now. Leave at once; nothing more may be committed."""


class Cancelled(Exception):
    """The job was cancelled. Tidy up and return."""


class NotNow(Exception):
    """The job was not tried, since a server that it needs rests. This is not one of its tries."""

    def __init__(self, text: str, *, retry_at: datetime) -> None:
        super().__init__(text)
        self.text = text
        self.retry_at = retry_at
