"""The forms of roles and teams. A role's matrix is read cell by cell; a cell that the page doesn't have is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from werkzeug.datastructures import MultiDict
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from qikbiz.identity.roles.actions import LONGEST_NAME
from qikbiz.identity.roles.builtin_roles import page_rights
from qikbiz.identity.roles.record_types import RuledField, RuledType, ruled_types
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Permission
from qikbiz.kernel.rights import RECORD_TYPES, Action, FieldRule, Rights, Scope
from qikbiz.web.forms import OwnForm, UnexpectedField, plain_name

SCOPE_WORDS = {Scope.NONE: "None", Scope.OWN: "Own", Scope.TEAM: "Team's", Scope.ALL: "All"}
ACTION_WORDS = {
    Action.SEE: "See",
    Action.CREATE: "Create",
    Action.CHANGE: "Change",
    Action.DELETE: "Delete",
    Action.EXPORT: "Export",
    Action.IMPORT: "Import",
}
RULE_WORDS = {"": "Editable", FieldRule.READ_ONLY: "Read-only", FieldRule.HIDDEN: "Hidden"}
_OURS = frozenset({"csrf_token", "name", "seen_at", "pages"})


@dataclass(frozen=True, slots=True)
class Cell:
    """One control of the matrix: its name in the form, how it is called aloud, and what is chosen."""

    name: str
    label: str
    chosen: str


def name_field(what: str) -> StringField:
    return StringField(
        "Name",
        [
            InputRequired(f"Enter a name for the {what}."),
            Length(max=LONGEST_NAME, message=f"Use at most {LONGEST_NAME} characters."),
            plain_name,
        ],
    )


class CopyForm(OwnForm):
    name = name_field("role")
    source = SelectField("Copy from", [InputRequired()], validate_choice=True)


class NameForm(OwnForm):
    """Only for the name of a role or a team; what else the page sends is read by itself."""

    name = name_field("team")

    def refuse_unknown_fields(self) -> None:
        """Done by the reader of the rest."""


def scope_cells(rights: Rights) -> list[tuple[RuledType, list[Cell]]]:
    """The matrix: a line for each record type, a cell for each act."""
    return [(kind, [_scope_cell(rights, kind, action) for action in Action]) for kind in ruled_types()]


def rule_cells(rights: Rights) -> list[tuple[RuledType, list[Cell]]]:
    """For each record type its fields with their rules."""
    return [(kind, [_rule_cell(rights, kind, field) for field in kind.fields]) for kind in ruled_types()]


def rights_from(sent: MultiDict[str, str]) -> Rights:
    """The rights that a role's form says. Raises UnexpectedField, Failure."""
    known = {cell.name for _, cells in (*scope_cells(Rights({})), *rule_cells(Rights({}))) for cell in cells}
    unknown = sorted(set(sent) - known - _OURS)
    if unknown:
        raise UnexpectedField(f"The form has no field named “{unknown[0][:60]}”.")
    return Rights(_scopes(sent), _pages(sent.getlist("pages")), _rules(sent) or None)


def user_ids_from(sent: MultiDict[str, str], name: str) -> list[UUID]:
    try:
        return [UUID(text) for text in sent.getlist(name)]
    except ValueError:
        raise Failure("One of the selected lines no longer exists. Reload the page.") from None


def _scope_cell(rights: Rights, declared: RuledType, action: Action) -> Cell:
    label = f"{ACTION_WORDS[action]} {declared.plural_label.lower()}"
    return Cell(f"{declared.name}.{action}", label, rights.scope(declared.name, action).key)


def _rule_cell(rights: Rights, declared: RuledType, field: RuledField) -> Cell:
    rule = ((rights.rules or {}).get(declared.name) or {}).get(field.name, "")
    return Cell(f"field.{declared.name}.{field.name}", field.label, str(rule))


def _scopes(sent: Mapping[str, str]) -> dict[tuple[str, Action], Scope]:
    scopes = {}
    for kind in RECORD_TYPES:
        for action in Action:
            chosen = sent.get(f"{kind}.{action}", "none").upper()
            if chosen not in Scope.__members__:
                raise Failure("A cell of the table has a value that can't be chosen. Reload the page.")
            if Scope[chosen]:
                scopes[kind, action] = Scope[chosen]
    return scopes


def _rules(sent: Mapping[str, str]) -> dict[str, dict[str, FieldRule]]:
    rules: dict[str, dict[str, FieldRule]] = {}
    for declared, cells in rule_cells(Rights({})):
        for cell in cells:
            chosen = sent.get(cell.name, "")
            if chosen not in RULE_WORDS:
                raise Failure(f"{cell.label} can be editable, read-only or hidden. Reload the page.")
            if chosen:
                rules.setdefault(declared.name, {})[cell.name.rpartition(".")[2]] = FieldRule(chosen)
    return rules


def _pages(chosen: list[str]) -> frozenset[Permission]:
    known = {right.permission.value: right.permission for right in page_rights()}
    if set(chosen) - known.keys():
        raise Failure("One of the selected pages no longer exists. Reload the page.")
    return frozenset(known[page] for page in chosen)
