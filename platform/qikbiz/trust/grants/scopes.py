"""What a grant can allow, and what each of it means: for pages as permissions, for the database as rights on tables.

Both lists name what is allowed; a table or a page that is not named stays closed to a guest.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from qikbiz.identity.accounts.models import User
from qikbiz.kernel.permissions import Action, AnyPermission, record_permission, record_types
from qikbiz.kernel.permissions import Permission as P
from qikbiz.kernel.rights import Rights


class GrantScope(StrEnum):
    """One purpose of a grant."""

    SEE = "see"
    CHANGE = "change"
    IMPORT = "import"
    EXPORT = "export"
    # Of a whole archive into an empty organisation: at the command line only, on a written instruction.
    RESTORE = "restore"


LABELS: dict[GrantScope, tuple[str, str]] = {
    GrantScope.SEE: ("View records", "contacts, companies and their history, read-only"),
    GrantScope.CHANGE: ("Edit records", "create, edit and move them to the trash"),
    GrantScope.IMPORT: ("Import a file", "a file that you gave us; you can undo it"),
    GrantScope.EXPORT: ("Export", "a file with your data, for you to download"),
    GrantScope.RESTORE: ("Restore an archive", "a full export of yours, into an empty workspace"),
}
OFFERED = (GrantScope.SEE, GrantScope.CHANGE, GrantScope.IMPORT, GrantScope.EXPORT)

_NAMES = frozenset(scope.value for scope in GrantScope)
# What may be done to the records of every type.
_ACTIONS: dict[GrantScope, tuple[Action, ...]] = {
    GrantScope.SEE: (Action.SEE,),
    GrantScope.CHANGE: (Action.SEE, Action.CREATE, Action.CHANGE, Action.DELETE),
}
_PAGES: dict[GrantScope, frozenset[P]] = {
    GrantScope.SEE: frozenset({P.WORKSPACE_SEE}),
    GrantScope.CHANGE: frozenset({P.WORKSPACE_SEE}),
    GrantScope.IMPORT: frozenset({P.IMPORT_SEE, P.IMPORT_APPLY, P.IMPORT_UNDO}),
    # Asking only: the file is the customer's to fetch, or the command's under its own instruction.
    GrantScope.EXPORT: frozenset({P.EXPORT_ASK, P.EXPORT_EVERYTHING}),
    GrantScope.RESTORE: frozenset(),
}

_READ, _ADD, _WORK = "SELECT", "SELECT, INSERT", "SELECT, INSERT, UPDATE"
_ALL = "SELECT, INSERT, UPDATE, DELETE"
_RECORDS = ("contacts", "companies", "contact_companies")
# A support session records in the audit what was done, in turn with others, and reads the schema's version.
_ANYBODY: dict[str, str] = {
    "audit_events": _ADD,
    "audit_turns": _WORK,
    "access_events": "INSERT",
    "schema_version": _READ,
    # Everybody sees it, on the sign-in page too.
    "logos": _READ,
}
_JOBS = {"jobs": _WORK, "mails": _ADD}
_SEE_RECORDS = dict.fromkeys((*_RECORDS, "record_changes", "imports", "exports"), _READ)
_WRITE_RECORDS = dict.fromkeys(_RECORDS, _WORK) | {"contact_companies": _ALL, "record_changes": _ADD}
# Who is given a record, or named in one, is notified as they chose: a row of the app, a mail, or the next day's digest.
_NOTIFY = {"mail_choices": _READ, "notifications": "SELECT, INSERT, UPDATE (mailed_at)", **_JOBS}
_RUN_IMPORTS = {
    # An import takes back whole what it created: only here may a guest's statement delete a record.
    **dict.fromkeys(_RECORDS, _ALL),
    "record_changes": _ALL,
    "imports": _WORK,
    "import_rows": _ALL,
    "import_updates": _ALL,
    "tombstones": _READ,
    **_JOBS,
}
_ASK_FOR_EXPORTS = {"exports": _WORK, **_JOBS}
# The rights of a scope are those of what is done under it, and a test does each of it under each scope.
_ACTS: dict[GrantScope, tuple[dict[str, str], ...]] = {
    GrantScope.SEE: (_SEE_RECORDS,),
    GrantScope.CHANGE: (_SEE_RECORDS, _WRITE_RECORDS, _NOTIFY),
    GrantScope.IMPORT: (_SEE_RECORDS, _RUN_IMPORTS, _NOTIFY),
    GrantScope.EXPORT: (_ASK_FOR_EXPORTS,),
    GrantScope.RESTORE: (),
}

# What these two do to every table that leaves the product (exports.catalogue).
_WHOLE = {GrantScope.EXPORT: _READ, GrantScope.RESTORE: _ADD}


def permissions_of(scopes: Iterable[str]) -> frozenset[AnyPermission]:
    """The permissions that these scopes give a guest. Unknown ones give none."""
    known = [GrantScope(name) for name in scopes if name in _NAMES]
    actions = {action for scope in known for action in _ACTIONS.get(scope, ())}
    of_records = {record_permission(kind, action) for kind in record_types() for action in actions}
    return frozenset(of_records).union(*(_PAGES[scope] for scope in known))


def reach_of(scopes: Iterable[str]) -> Rights:
    """How far a guest's work on records reaches once a page is open: to all, as the customer's own members."""
    given = set(scopes)
    writes = "all" if given & {GrantScope.CHANGE, GrantScope.IMPORT} else "none"
    return Rights.of(
        see="all" if given else "none",
        create=writes,
        change=writes,
        delete=writes,
        import_="all" if GrantScope.IMPORT in given else "none",
        export="all" if GrantScope.EXPORT in given else "none",
        pages=[P.EXPORT_EVERYTHING] if GrantScope.EXPORT in given else [],
    )


def rights_of(scopes: Iterable[str], exported: Iterable[str]) -> dict[str, list[str]]:
    """{table: privileges as SQL} of a guest's role. `exported` are the tables of an export."""
    given: dict[str, list[str]] = {table: [rights] for table, rights in _ANYBODY.items()}
    given["users"] = [_colleagues()]
    for scope in sorted({GrantScope(name) for name in scopes if name in _NAMES}):
        rights = {table: words for act in _ACTS[scope] for table, words in act.items()}
        if scope in _WHOLE:
            rights = dict.fromkeys((table for table in exported if table != "users"), _WHOLE[scope]) | rights
        if scope is GrantScope.RESTORE:
            rights["users"] = "INSERT"
        for table, words in rights.items():
            given.setdefault(table, []).append(words)
    return given


def _colleagues() -> str:
    """Names and addresses of colleagues, never what a login is checked by: those columns are deferred in the model."""
    columns = [attribute.key for attribute in User.__mapper__.column_attrs if not attribute.deferred]
    return f"SELECT ({', '.join(sorted(columns))})"
