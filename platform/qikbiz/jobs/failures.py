"""How a job may fail in a way that trying again can't mend."""

from qikbiz.failures import Failure


class JobRefused(Failure):
    """The job can never succeed. The text is shown to the person who asked for it."""

    status, key = 409, "conflict"
