"""What can be refused about logins, in the words the person reads."""

from __future__ import annotations

from qikbiz.kernel.errors import Conflict, Failure


class WeakPassword(Failure):
    """The password is not accepted; the text says why."""

    key = "weak_password"


class WrongPassword(Failure):
    """Name and password don't belong together. No page says more."""

    status, key = 401, "wrong_password"


class LastAdministrator(Conflict):
    """Without an administrator nobody could invite or help anyone."""


class AlreadyThere(Conflict):
    """A login with this address exists."""


class PendingLoginEnded(Failure):
    """It took too long, was finished already, or the password or the rules for it changed meanwhile."""

    status, key = 410, "half_login_ended"
