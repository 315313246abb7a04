"""What a principal may do: for each record type and act a scope, rules for fields, and pages. No database, no web."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from functools import cached_property, lru_cache
from typing import Any, Self
from uuid import UUID

from qikbiz.kernel.permissions import (
    Action,
    AnyPermission,
    Permission,
    RecordPermission,
    known_permissions,
    record_types,
)


class Scope(IntEnum):
    """How far a right reaches: to no record, to those one owns, to those of one's teams, to all."""

    NONE = 0
    OWN = 1
    TEAM = 2
    ALL = 3

    @property
    def key(self) -> str:
        return self.name.lower()


class FieldRule(StrEnum):
    """What a role does to a field: it is not there at all, or shown and not to be changed."""

    HIDDEN = "hidden"
    READ_ONLY = "read-only"


Act = tuple[str, Action]
# Pages that serve every record type: open to a user who may do the act to one of them.
FOLLOWING: dict[AnyPermission, Action] = {
    Permission.EXPORT_ASK: Action.EXPORT,
    Permission.EXPORT_FETCH: Action.EXPORT,
    Permission.IMPORT_APPLY: Action.IMPORT,
    Permission.IMPORT_SEE: Action.IMPORT,
    Permission.IMPORT_UNDO: Action.IMPORT,
}
WAYS_IN = frozenset({Permission.PUBLIC, Permission.SIGNED_IN, Permission.WORKSPACE_SEE})
# What nobody can do to a record that they can't see.
_NO_WIDER_THAN_SEEING = frozenset({Action.CHANGE, Action.DELETE, Action.EXPORT, Action.IMPORT})


@dataclass(frozen=True)
class Rights:
    """The rights of one role, or of one person with all roles added up.

    `scopes` leaves out what has no scope. `rules` are {record type: {field: rule}}. `me` is whose records are "own",
    and `colleagues` are the members of the person's teams.
    """

    scopes: Mapping[Act, Scope]
    pages: frozenset[AnyPermission] = frozenset()
    rules: Mapping[str, Mapping[str, FieldRule]] | None = None
    me: UUID | None = None
    colleagues: frozenset[UUID] = frozenset()

    @classmethod
    def of(
        cls, *, types: Iterable[str] | None = None, pages: Iterable[AnyPermission] = (), **acts: Scope | str
    ) -> Rights:
        """Rights made in code, for all record types or some: `Rights.of(see="all", pages=[Permission.AUDIT_SEE])`.

        The act that Python reserves is written `import_`.
        """
        wanted = {Action(name.rstrip("_")): _scope(scope) for name, scope in acts.items()}
        scopes = {
            (kind, action): scope
            for kind in (record_types() if types is None else types)
            for action, scope in wanted.items()
            if scope
        }
        return cls(scopes, frozenset(pages))

    def can(self, permission: AnyPermission) -> bool:
        """Whether there is any record, or the page, for which this is allowed."""
        if permission in WAYS_IN:
            return True
        if isinstance(permission, RecordPermission) and (action := permission.action) is not None:
            return self.scope(permission.record_type, action) > Scope.NONE
        if permission in FOLLOWING:
            return any(self.scope(kind, FOLLOWING[permission]) for kind in record_types())
        return permission in self.pages

    def scope(self, record_type: str, action: Action) -> Scope:
        """How far this act reaches; never further than seeing."""
        seen = self.scopes.get((record_type, Action.SEE), Scope.NONE)
        given = self.scopes.get((record_type, action), Scope.NONE)
        if seen is Scope.NONE:
            return Scope.NONE
        return min(given, seen) if action in _NO_WIDER_THAN_SEEING else given

    def owners(self, record_type: str, action: Action) -> frozenset[UUID] | None:
        """Whose records the act reaches; None: everybody's and nobody's."""
        match self.scope(record_type, action):
            case Scope.ALL:
                return None
            case Scope.TEAM:
                return self.colleagues | self._myself()
            case Scope.OWN:
                return self._myself()
        return frozenset()

    def reaches(self, record_type: str, action: Action, owner_id: UUID | None) -> bool:
        """Whether the act may be done to a record of this owner."""
        owners = self.owners(record_type, action)
        return owners is None or owner_id in owners

    def hidden(self, record_type: str) -> frozenset[str]:
        """The fields that this person doesn't know of."""
        return self._ruled(record_type, {FieldRule.HIDDEN})

    def unchangeable(self, record_type: str) -> frozenset[str]:
        """The fields that this person can't write: hidden or read-only."""
        return self._ruled(record_type, {FieldRule.HIDDEN, FieldRule.READ_ONLY})

    def covers(self, other: Rights) -> bool:
        """Whether `other` allows nothing that this doesn't: nobody gives away more than they have."""
        return (
            all(self.scope(*act) >= other.scope(*act) for act in every_act())
            and self.pages >= other.pages
            and all(self.hidden(kind) <= other.hidden(kind) for kind in record_types())
            and all(self.unchangeable(kind) <= other.unchangeable(kind) for kind in record_types())
        )

    def within(self, limit: Rights) -> Rights:
        """What both allow, as this person."""
        scopes = {act: min(self.scope(*act), limit.scope(*act)) for act in every_act()}
        rules = {kind: _stricter(self._rules(kind), limit._rules(kind)) for kind in record_types()}
        return replace(self, scopes=_some(scopes), pages=self.pages & limit.pages, rules=rules)

    def as_person(self, person_id: UUID | None, colleagues: Iterable[UUID] = ()) -> Rights:
        return replace(self, me=person_id, colleagues=frozenset(colleagues))

    @property
    def asks_for_teams(self) -> bool:
        """Whether it matters who is in the person's teams."""
        return Scope.TEAM in self.scopes.values()

    def as_json(self) -> dict[str, object]:
        """As a role's row keeps it."""
        records: dict[str, dict[str, str]] = {}
        for (kind, action), scope in sorted(self.scopes.items()):
            records.setdefault(kind, {})[action.value] = scope.key
        rules = self.rules or {}
        fields = {kind: {name: rule.value for name, rule in ruled.items()} for kind, ruled in rules.items()}
        return {"records": records, "fields": fields, "pages": sorted(self.pages)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What a row keeps. What this program doesn't know allows nothing; a rule it doesn't know hides the field."""
        scopes = {
            (kind, Action(action)): Scope[scope.upper()]
            for kind, acts in kept.get("records", {}).items()
            for action, scope in acts.items()
            if kind in record_types() and action in set(Action) and scope.upper() in Scope.__members__
        }
        rules = {
            kind: {name: _rule(rule) for name, rule in ruled.items()} for kind, ruled in kept.get("fields", {}).items()
        }
        return cls(_some(scopes), known_permissions(kept.get("pages", ())), rules)

    def __hash__(self) -> int:
        return hash(self.text)

    @cached_property
    def text(self) -> str:
        """As a session's snapshot carries it."""
        who = {"me": self.me.hex if self.me else "", "colleagues": sorted(one.hex for one in self.colleagues)}
        return json.dumps(self.as_json() | who, separators=(",", ":"), sort_keys=True)

    def _rules(self, record_type: str) -> Mapping[str, FieldRule]:
        return (self.rules or {}).get(record_type, {})

    def _ruled(self, record_type: str, wanted: Collection[FieldRule]) -> frozenset[str]:
        if not self.rules:
            return frozenset()
        return frozenset(name for name, rule in self._rules(record_type).items() if rule in wanted)

    def _myself(self) -> frozenset[UUID]:
        return frozenset() if self.me is None else frozenset({self.me})


NOTHING = Rights({})


@lru_cache(maxsize=1_000)
def rights_from_text(text: str) -> Rights:
    """What `Rights.text` is. Raises ValueError, TypeError or KeyError for anything else."""
    kept = json.loads(text)
    colleagues = [UUID(hex=one) for one in kept["colleagues"]]
    return Rights.from_json(kept).as_person(UUID(hex=kept["me"]) if kept["me"] else None, colleagues)


def union(roles: Iterable[Rights]) -> Rights:
    """Several roles of one person: the widest scope, every page, and only the field rules that all of them have.

    A role that doesn't show a record type at all has no say about its fields.
    """
    several = list(roles)
    scopes = {act: max((one.scope(*act) for one in several), default=Scope.NONE) for act in every_act()}
    pages = frozenset(page for one in several for page in one.pages)
    rules = {kind: _common_rules(several, kind) for kind in record_types()}
    return Rights(_some(scopes), pages, {kind: found for kind, found in rules.items() if found} or None)


def every_act() -> list[Act]:
    return [(kind, action) for kind in record_types() for action in Action]


def _common_rules(roles: list[Rights], kind: str) -> dict[str, FieldRule]:
    showing = [one for one in roles if one.scope(kind, Action.SEE)]
    names = [set(one._rules(kind)) for one in showing]
    common = set.intersection(*names) if names else set()
    return {name: _milder([one._rules(kind)[name] for one in showing]) for name in sorted(common)}


def _milder(rules: list[FieldRule]) -> FieldRule:
    return FieldRule.READ_ONLY if FieldRule.READ_ONLY in rules else FieldRule.HIDDEN


def _stricter(one: Mapping[str, FieldRule], other: Mapping[str, FieldRule]) -> dict[str, FieldRule]:
    found = {**one, **other}
    both = [*one.items(), *other.items()]
    return {name: FieldRule.HIDDEN if (name, FieldRule.HIDDEN) in both else rule for name, rule in found.items()}


def _some(scopes: Mapping[Act, Scope]) -> dict[Act, Scope]:
    return {act: scope for act, scope in scopes.items() if scope}


def _rule(text: str) -> FieldRule:
    return FieldRule(text) if text in set(FieldRule) else FieldRule.HIDDEN


def _scope(given: Scope | str) -> Scope:
    return given if isinstance(given, Scope) else Scope[given.upper()]
