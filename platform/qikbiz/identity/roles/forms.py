"""The forms of roles and teams. A role's matrix is read cell by cell; a cell that the page doesn't have is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from qikbiz.identity.roles.actions import LONGEST_NAME
from qikbiz.identity.roles.builtin_roles import page_rights
from qikbiz.identity.roles.record_types import RuledField, RuledType, ruled_types
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Action, AnyPermission, record_types
from qikbiz.kernel.rights import FieldRule, Rights, Scope
from qikbiz.web.forms import OwnForm, Text, Texts, plain_name

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
    """The name of a new team."""

    name = name_field("team")


class TeamForm(NameForm):
    """A team's name and members; `seen` is the edition of it that the page showed."""

    members = Texts("Members")
    seen = Text()


class TeamsForm(OwnForm):
    """The teams of a user."""

    teams = Texts("Teams")


class RoleForm(NameForm):
    """A role's name and pages; `seen_at` is the edition of it that the page showed. `role_form` adds the matrix."""

    pages = Texts("Pages")
    seen_at = Text()


class PreviewForm(OwnForm):
    """The role or the user to look as."""

    role = Text()
    user = Text()


def scope_cells(rights: Rights) -> list[tuple[RuledType, list[Cell]]]:
    """The matrix: a line for each record type, a cell for each act."""
    return [(kind, [_scope_cell(rights, kind, action) for action in Action]) for kind in ruled_types()]


def rule_cells(rights: Rights) -> list[tuple[RuledType, list[Cell]]]:
    """For each record type its fields with their rules."""
    return [(kind, [_rule_cell(rights, kind, field) for field in kind.fields]) for kind in ruled_types()]


def role_form(**given: Any) -> RoleForm:
    """With a field for each cell of the matrix, which the record types make. A cell that isn't sent gives nothing."""
    scopes = {cell.name: Text(cell.label, default="none") for _, cells in scope_cells(Rights({})) for cell in cells}
    rules = {cell.name: Text(cell.label) for _, cells in rule_cells(Rights({})) for cell in cells}
    made: type[RoleForm] = type("RoleForm", (RoleForm,), {**scopes, **rules})
    return made(**given)


def rights_from(form: RoleForm) -> Rights:
    """The rights that a role's form says. Raises UnexpectedField, Failure."""
    form.refuse_unknown_fields()
    sent = {name: field.data or "" for name, field in form._fields.items() if isinstance(field, Text)}
    return Rights(_scopes(sent), _pages(form.pages.texts), _rules(sent) or None)


def ids_ticked(texts: list[str]) -> list[UUID]:
    """Raises Failure for what is no id."""
    try:
        return [UUID(text) for text in texts]
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
    for kind in record_types():
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


def _pages(chosen: list[str]) -> frozenset[AnyPermission]:
    known = {str(right.permission): right.permission for right in page_rights()}
    if set(chosen) - known.keys():
        raise Failure("One of the selected pages no longer exists. Reload the page.")
    return frozenset(known[page] for page in chosen)
