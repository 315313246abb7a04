"""Which records a person reaches. Every list, search, page, act, link, export and import asks here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, false, or_, select

from qikbiz.crm.records.field_access import columns_of_fields
from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import BY_SINGULAR
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.identity.roles.current import current_rights
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Forbidden, NotFound
from qikbiz.kernel.permissions import Action
from qikbiz.kernel.rights import Rights, Scope

Condition = ColumnElement[bool]


def visible_rows(record_type: RecordType, action: Action, rights: Rights | None = None) -> list[Condition]:
    """What rows fulfil that the act reaches. Nothing to fulfil for whoever reaches all."""
    owners = (rights or current_rights()).owners(record_type.name, action)
    return [] if owners is None else [_owned_by(record_type.model.__table__.c.owner_id, owners)]


def require_access(record_type: RecordType, found: Record, action: Action) -> None:
    """Raises NotFound for a record that this person may not know of, Forbidden for one that may not be acted on."""
    rights, name = current_rights(), record_type.name
    if not rights.reaches(name, Action.SEE, found.owner_id):
        raise no_such(record_type)
    if not rights.reaches(name, action, found.owner_id):
        raise Forbidden(f"Your role does not allow you to {action.value} this {name}.")


def no_such(record_type: RecordType) -> NotFound:
    return NotFound(f"There is no such {record_type.name}. It may have been deleted.")


def refuse_locked(record_type: RecordType, columns: Sequence[str], locked: frozenset[str] = frozenset()) -> None:
    """Raises FieldProblem naming the first field that this person may not write. `locked` are more such fields."""
    names = current_rights().unchangeable(record_type.name) | locked
    if not names:
        return
    declared = BY_SINGULAR[record_type.name]
    closed = columns_of_fields(declared, names)
    for column in columns:
        if column in closed:
            label = next(field.label for field in declared.fields if column in field.written_columns)
            raise FieldProblem(f"{label} is read-only for you.", "Ask an administrator if you need to.")


def checked_owner(record_type: RecordType, owner_id: UUID | None, action: Action) -> UUID | None:
    """The owner that a record is given. Raises FieldProblem for one to whom this person can't give it."""
    owners = current_rights().owners(record_type.name, action)
    if owners is None or owner_id in owners:
        return owner_id
    raise FieldProblem("You can't give a record to this owner.", "Choose yourself or a user your role allows.")


def default_owner(record_type: RecordType) -> UUID | None:
    """Whose a new record is when nobody is named: nobody's, or one's own where only that can be reached."""
    rights = current_rights()
    return None if rights.owners(record_type.name, Action.CREATE) is None else rights.me


def reached_id(type_name: str, record_id: UUID | None, rights: Rights | None = None) -> UUID | None:
    """The id of a linked record if this person may see it, also in the trash; else None."""
    known = rights or current_rights()
    if record_id is None or known.scope(type_name, Action.SEE) is Scope.ALL:
        return record_id
    columns = BY_SINGULAR[type_name].model.__table__.c
    wanted = (columns.id == record_id, *visible_rows(BY_SINGULAR[type_name], Action.SEE, known))
    return db.session.scalar(select(columns.id).where(*wanted))


def unseen_links(record_type: RecordType, found: object) -> frozenset[str]:
    """The fields of a record that name another one which this person may not see."""
    return frozenset(
        link.field
        for link in {*BY_SINGULAR[record_type.name].references.values()}
        if (ident := getattr(found, link.id_column)) is not None and reached_id(link.target, ident) is None
    )


def shown_column(record_type: RecordType, name: str, rights: Rights | None = None) -> ColumnElement[Any]:
    """A column for a list or a file; where it names a record that this person may not see it is empty."""
    columns = record_type.model.__table__.c
    known, link = rights or current_rights(), BY_SINGULAR[record_type.name].references.get(name)
    if link is None or _sees_all(known, link.target):
        return columns[name]
    ident = columns[link.id_column]
    return case((or_(ident.is_(None), *filtered_link(link.target, ident, known)), columns[name])).label(name)


def filtered_link(type_name: str, column: ColumnElement[Any], rights: Rights) -> list[Condition]:
    """What a filter by a linked record must fulfil too, so that it says nothing about one that may not be seen."""
    if _sees_all(rights, type_name):
        return []
    target = BY_SINGULAR[type_name].model.__table__.alias("linked")
    owners = rights.owners(type_name, Action.SEE) or frozenset()
    return [select(target.c.id).where(target.c.id == column, _owned_by(target.c.owner_id, owners)).exists()]


class MaskedRecord:
    """A record as this person may see it: what is hidden, and what names something unseen, reads as empty."""

    def __init__(self, found: object, gone: frozenset[str]) -> None:
        self._found, self._gone = found, gone

    def __getattr__(self, name: str) -> object:
        value = getattr(self._found, name)
        if name not in self._gone:
            return value
        return [] if isinstance(value, list) else None


def shown_record(record_type: RecordType, found: object) -> object:
    """`record_type` is the one that this person knows (`visible_type`)."""
    gone = record_type.hidden | columns_of_fields(BY_SINGULAR[record_type.name], unseen_links(record_type, found))
    return MaskedRecord(found, gone) if gone else found


def _owned_by(column: ColumnElement[Any], owners: frozenset[UUID]) -> Condition:
    if not owners:
        return false()
    return column.in_(sorted(owners)) if len(owners) > 1 else column == next(iter(owners))


def _sees_all(rights: Rights, type_name: str) -> bool:
    return rights.scope(type_name, Action.SEE) is Scope.ALL
