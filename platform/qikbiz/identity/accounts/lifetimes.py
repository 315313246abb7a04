"""How long sessions, remembered devices and links last. The defaults follow OWASP and NIST SP 800-63B."""

from __future__ import annotations

from datetime import timedelta

IDLE = timedelta(minutes=60)
ABSOLUTE = timedelta(hours=12)
FRESH = timedelta(minutes=15)
SEEN_EVERY = timedelta(minutes=1)
SESSIONS_PER_PERSON = 20
REMEMBER = timedelta(days=30)
REMEMBER_AT_MOST = timedelta(days=90)
REMEMBER_GRACE = timedelta(seconds=60)
INVITATION = timedelta(days=7)
RESET = timedelta(hours=1)
