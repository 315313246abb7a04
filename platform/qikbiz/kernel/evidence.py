"""How a package says that it keeps a promise. Each that keeps one has a `promise.py` with `KEEPINGS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

# (what it is, what it is now), such as ("Grants in force", "1, until 4 November").
Fact = tuple[str, str]


def nothing_of_your_own() -> Sequence[Fact]:
    """For a promise that is kept in the same way for everybody."""
    return ()


@dataclass(frozen=True, slots=True)
class Keeping:
    """One way in which a promise is kept.

    `promise` is its number, P1 to P20. `how` is one paragraph in the customer's words. `place` is the endpoint of the
    page in the product where it is seen, "" for none, and `place_name` what that page is called. `try_it` says what to
    do there to see the promise kept with one's own eyes. `evidence` is called inside the tenant, in the request's
    transaction, and gives that tenant's own live facts.
    """

    promise: str
    how: str
    place: str = ""
    place_name: str = ""
    evidence: Callable[[], Sequence[Fact]] = nothing_of_your_own
    try_it: str = ""
