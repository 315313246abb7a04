"""How a job may fail in a way that trying again can't mend, and how it may wait without having failed."""

from datetime import datetime

from qikbiz.kernel.errors import Failure


class JobRefused(Failure):
    """The job can never succeed. The text is shown to the person who asked for it."""

    status, key = 409, "conflict"


class NotNow(Exception):
    """The job was not tried, since a server that it needs rests. This is not one of its tries."""

    def __init__(self, text: str, *, retry_at: datetime) -> None:
        super().__init__(text)
        self.text = text
        self.retry_at = retry_at
