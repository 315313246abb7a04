"""What an import may touch: the rights of whoever asked for the step at hand, in the form that the SQL needs.

A record that the person may not see is not there for the import either, so a row that would find it creates a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from qikbiz.crm.schema.record_type import RecordType
from qikbiz.kernel.permissions import Action
from qikbiz.kernel.rights import Rights, Scope

Owners = frozenset[UUID] | None


@dataclass(frozen=True, slots=True)
class Limits:
    """Whose records are seen, changed and made; None: everybody's and nobody's. `owner` is a new record's owner.

    `companies` are those whose companies may be linked, `company_owner` is the owner of a company that is made.
    """

    seen: Owners = None
    changed: Owners = None
    made: Owners = None
    owner: UUID | None = None
    contacts: Owners = None
    companies: Owners = None
    may_make_companies: bool = True
    company_owner: UUID | None = None


def limits_of(record_type: RecordType, rights: Rights) -> Limits:
    name = record_type.name
    made = rights.owners(name, Action.IMPORT)
    companies_made = rights.owners("company", Action.CREATE)
    return Limits(
        seen=rights.owners(name, Action.SEE),
        changed=rights.owners(name, Action.CHANGE),
        made=made,
        owner=None if made is None else rights.me,
        contacts=rights.owners("contact", Action.SEE),
        companies=rights.owners("company", Action.SEE),
        may_make_companies=rights.scope("company", Action.CREATE) > Scope.NONE,
        company_owner=None if companies_made is None else rights.me,
    )


def owned_by(owners: Owners, alias: str) -> str:
    """` AND …`, as SQL, or nothing for all. Ids are our own and need no quoting beyond the type."""
    if owners is None:
        return ""
    ids = ",".join(str(one) for one in sorted(owners))
    return f" AND {alias}.owner_id = ANY ('{{{ids}}}'::uuid[])"
