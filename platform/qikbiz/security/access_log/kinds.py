"""What can stand in the access log, and how it reads."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Outcome = Literal["done", "failed", "refused"]
# "failed": what was given was wrong. "refused": not even looked at.
OUTCOMES: dict[str, str] = {"done": "Done", "failed": "Failed", "refused": "Refused"}


class AccessKind(StrEnum):
    """Kinds of events. The values are kept in the database: rename none."""

    LOGIN = "login"
    REMEMBERED = "remembered"
    LOGOUT = "logout"
    SESSION_ENDED = "session_ended"
    CONFIRMED = "confirmed"
    SECOND_FACTOR = "second_factor"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_LINK = "password_link"
    INVITATION_ACCEPTED = "invitation_accepted"
    EXPORT_DOWNLOADED = "export_downloaded"
    BLOCKED = "blocked"
    NETWORK_REFUSED = "network_refused"
    ADDRESS_ALLOWED = "address_allowed"
    STAFF_ENTRY = "staff_entry"


LABELS: dict[str, str] = {
    AccessKind.LOGIN: "Sign-in",
    AccessKind.REMEMBERED: "Sign-in by a remembered device",
    AccessKind.LOGOUT: "Sign-out",
    AccessKind.SESSION_ENDED: "Session ended",
    AccessKind.CONFIRMED: "Password confirmed",
    AccessKind.SECOND_FACTOR: "Second factor",
    AccessKind.PASSWORD_CHANGED: "Password changed",
    AccessKind.PASSWORD_LINK: "Password reset link",
    AccessKind.INVITATION_ACCEPTED: "Invitation accepted",
    AccessKind.EXPORT_DOWNLOADED: "Export downloaded",
    AccessKind.BLOCKED: "Blocked address",
    AccessKind.NETWORK_REFUSED: "Network not allowed",
    AccessKind.ADDRESS_ALLOWED: "Address allowed",
    AccessKind.STAFF_ENTRY: "Support session",
}


def label(kind: str) -> str:
    return LABELS.get(kind, kind.replace("_", " ").capitalize())
