"""The audit's names for acts and details, in words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from qikbiz.audit.models import AuditEvent

# Not in the chain: it has a page of its own, to which the filter leads.
READS = "reads"
# (what the filter sends, how it reads), beside those on records; a word without a point is every act on that thing.
ACTS = (
    (READS, "Lists and searches"),
    ("page_reads", "Fingerprints of lists and searches"),
    ("import", "Imports"),
    ("export", "Exports"),
    ("access_log", "Access log"),
    ("address", "Allowed addresses"),
    ("login", "Sign-ins"),
    ("password", "Passwords"),
    ("policy", "Sign-in policy"),
    ("sso", "Single sign-on"),
    ("factor", "Passkeys, apps and recovery codes"),
    ("statement", "Privacy statement"),
    ("closing", "Account closure"),
    ("user", "Users and their roles"),
    ("role", "Roles"),
    ("team", "Teams"),
    ("preview", "View as"),
    ("organisation", "Organisation"),
    ("domain", "Domains"),
    ("workspace", "General settings"),
    ("audit", "Audit"),
)
VIEWS = {
    "list": "List",
    "search": "Search",
    "suggestions": "Suggestions while typing",
    "trash": "Trash",
    "home": "Home",
    "import": "Rows of an import",
}
# Acts whose names alone don't say what was done.
_ACTS_IN_WORDS = {
    "address.lifted": "Address: block removed",
    "announcement.tried": "Announcement: test sent",
    "contact.erasure_asked": "Contact: erasure requested",
    "contact.file_asked": "Contact: personal data requested",
    "export.asked": "Export: requested",
    "export.begun": "Export: started",
    "factor.codes_made": "Second factor: recovery codes created",
    "import.apply_asked": "Import: confirmed",
    "import.undo_asked": "Import: undo requested",
    "import.kept": "Import: undo requested, all records kept",
    "import.refused_rows_fetched": "Import: rows not imported downloaded",
    "import.skipped_cells_fetched": "Import: rows with skipped cells downloaded",
    "login.code_mailed": "Sign-in: code emailed",
    "login.ended": "Sign-in: signed out",
    "login.opened": "Sign-in: signed in",
    "policy.break_glass_made": "Sign-in policy: emergency code created",
    "policy.break_glass_used": "Sign-in policy: emergency code used",
    "sso.tried": "Single sign-on: tested",
    "staff.did": "Support: changed",
    "staff.entered": "Support: session started",
    "staff.left": "Support: session ended",
    "staff.saw": "Support: viewed",
    "tenant.asked_for": "Tenant: requested",
    "user.records_handed_over": "User: records transferred",
}
_THINGS = {
    "closing": "Account closure",
    "factor": "Second factor",
    "grant": "Support access",
    "login": "Sign-in",
    "policy": "Sign-in policy",
    "sso": "Single sign-on",
}
# As the pages say it, of whatever thing.
_VERBS = {"read": "viewed"}
LONGEST_VALUE = 300
# A moment as details keep it.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00", re.ASCII)


def heading(action: str) -> str:
    """`user.role_changed` as `User: role changed`."""
    if action in _ACTS_IN_WORDS:
        return _ACTS_IN_WORDS[action]
    thing, _, verb = action.partition(".")
    words = _THINGS.get(thing) or thing.replace("_", " ").replace("-", " ").capitalize()
    return f"{words}: {_VERBS.get(verb) or verb.replace('_', ' ')}" if verb else words


def detail_lines(event: AuditEvent, gone: frozenset[str] = frozenset()) -> list[tuple[str, str, str]]:
    """What an event's details say. `gone` are the columns of the record that the reader may not know of."""
    return lines_of(event.details, gone)


def lines_of(details: Mapping[str, object], gone: frozenset[str] = frozenset()) -> list[tuple[str, str, str]]:
    """Details as (name, old, new); what did not change has only a new value."""
    changes = details.get("changes")
    lines = [
        (_name(name), _text(pair[0]), _text(pair[1]))
        for name, pair in (changes.items() if isinstance(changes, Mapping) else ())
        if isinstance(pair, list) and len(pair) == 2 and name not in gone
    ]
    return lines + [(_name(name), "", _text(value)) for name, value in details.items() if name != "changes"]


def _name(name: str) -> str:
    return name.removesuffix("_id").replace("_", " ").capitalize().replace("Sso", "Single sign-on")


def _moment_in_words(text: str) -> str:
    if not _MOMENT.fullmatch(text):
        return text
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%d %b %Y, %H:%M} UTC"
    except ValueError:
        return text


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def _text(value: object) -> str:
    if value is None or value in ("", []):
        return ""
    text = _moment_in_words(value) if isinstance(value, str) else _words(value)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
