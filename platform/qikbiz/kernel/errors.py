"""What can go wrong in a way that a person reads about; made into pages, fragments and exit codes in one place."""

from __future__ import annotations

from datetime import datetime


class Failure(Exception):
    """Base of every expected failure. `status` is the HTTP status; the text is for the person, in plain words."""

    status = 400
    key = "bad_request"

    def __init__(self, text: str = "", *, retry_at: datetime | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.retry_at = retry_at


class NotFound(Failure):
    """There is no such record, or none that this person may know of."""

    status, key = 404, "not_found"


class Forbidden(Failure):
    """The person is known and may not do this."""

    status, key = 403, "forbidden"


class Conflict(Failure):
    """Another request changed the same thing first, or it is in a state that doesn't allow this."""

    status, key = 409, "conflict"


class TooLarge(Failure):
    status, key = 413, "too_large"


class TooMany(Failure):
    """Asked too often; `retry_at` says when again."""

    status, key = 429, "too_many"


class Blocked(Failure):
    """The client's address is blocked for a time."""

    status, key = 403, "blocked"


class Unavailable(Failure):
    """A server that is needed is away, or this tenant can't be served now."""

    status, key = 503, "unavailable"
