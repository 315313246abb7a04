"""What can go wrong on the way over the identity provider, in the words the person reads."""

from __future__ import annotations

from qikbiz.kernel.errors import Conflict, Failure, Forbidden, Unavailable


class SsoFailed(Failure):
    """What came back is not what was asked for. The text says which part; nobody was signed in."""

    key = "sso_failed"


class RoundTripEnded(SsoFailed):
    """It took too long, was begun in another window, or has come back before."""

    key = "sso_ended"


class ProviderAway(Unavailable):
    """The provider can't be reached, is too slow, or answers something that is no answer."""

    key = "sso_away"


class NobodyHere(Forbidden):
    """The provider knows the person, and nobody here has that login."""

    key = "sso_nobody"


class SsoRefused(Conflict):
    """The provider can't be changed like this now; the text says the way out."""
