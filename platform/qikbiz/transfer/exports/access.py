"""Who may have which export: asked when it is wanted, before each of its tables, and when its file is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, true

from qikbiz.crm.schema.registry import BY_SINGULAR, RECORD_TYPES, record_type
from qikbiz.identity.roles.current import current_rights
from qikbiz.kernel.errors import Forbidden
from qikbiz.kernel.permissions import Action, Permission
from qikbiz.kernel.rights import Rights, Scope
from qikbiz.transfer.exports.catalogue import EVERYTHING
from qikbiz.transfer.exports.contributions import own_product
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.selection import PORTABLE, PRODUCTS


def may_export(rights: Rights, scope: str, product: str) -> bool:
    """Whether anything of this may be exported. Everything in its portable form holds users and the audit too."""
    if own_product(product) is not None:
        # Such a file is made whole, so it is for those from whom no field is hidden.
        return is_open_to(product, rights) and not any(rights.hidden(name) for name in BY_SINGULAR)
    if scope != EVERYTHING:
        return rights.scope(record_type(scope).name, Action.EXPORT) > Scope.NONE
    if product != PORTABLE:
        return any(rights.scope(name, Action.EXPORT) for name in BY_SINGULAR)
    is_whole = all(rights.scope(name, Action.EXPORT) is Scope.ALL and not rights.hidden(name) for name in BY_SINGULAR)
    return is_whole and rights.can(Permission.EXPORT_EVERYTHING)


def is_open_to(product: str, rights: Rights) -> bool:
    """Whether somebody with these rights may know of such files at all."""
    own = own_product(product)
    return product in PRODUCTS or (own is not None and rights.can(own.permission))


def refuse_unless_exportable(rights: Rights, scope: str, product: str) -> None:
    if not may_export(rights, scope, product):
        kind = RECORD_TYPES.get(scope)
        what = kind.plural_label.lower() if kind else scope
        raise Forbidden(f"Your role does not allow you to export {what}.")


def still_allows(now: Rights, then: Rights, scope: str, product: str) -> bool:
    """Whether a person with the rights `now` may have what the rights `then` allowed."""
    if not may_export(now, scope, product):
        return False
    names = _types_in(scope)
    return all(_reaches_as_far(now, then, name) and now.hidden(name) <= then.hidden(name) for name in names)


def exportable_types(rights: Rights) -> set[str]:
    """The tables of records of which this person may export something."""
    return {kind.plural for kind in RECORD_TYPES.values() if rights.scope(kind.name, Action.EXPORT)}


def own_or_all() -> ColumnElement[bool]:
    """Which exports somebody may know of: one's own, or all for whoever may export everything."""
    rights = current_rights()
    return true() if rights.can(Permission.EXPORT_EVERYTHING) else Export.requested_by == rights.me


def as_kept(rights: Rights) -> dict[str, object]:
    """The rights under which a file was made, to be kept beside it."""
    return rights.as_json() | {"me": rights.me.hex if rights.me else "", "owners": _owners(rights)}


def may_fetch(rights: Rights, export: Export) -> bool:
    """Whether this person's rights still allow all that is in the file."""
    kept: Mapping[str, object] = (export.manifest or {}).get("rights") or {}
    if not may_export(rights, export.scope, export.product):
        return False
    return all(_may_have(rights, kept, name) for name in _types_in(export.scope))


def _types_in(scope: str) -> tuple[str, ...]:
    if scope == EVERYTHING:
        return tuple(BY_SINGULAR)
    return (record_type(scope).name,) if scope in RECORD_TYPES else ()


def _may_have(rights: Rights, kept: Mapping[str, Any], name: str) -> bool:
    mine, there = rights.owners(name, Action.EXPORT), kept.get("owners", {}).get(name)
    if mine is not None and (there is None or not {*there} <= {one.hex for one in mine}):
        return False
    return rights.hidden(name) <= Rights.from_json(kept).hidden(name)


def _owners(rights: Rights) -> dict[str, list[str] | None]:
    found = {name: rights.owners(name, Action.EXPORT) for name in BY_SINGULAR}
    return {name: None if owners is None else sorted(one.hex for one in owners) for name, owners in found.items()}


def _reaches_as_far(now: Rights, then: Rights, name: str) -> bool:
    here, there = now.owners(name, Action.EXPORT), then.owners(name, Action.EXPORT)
    return here is None or (there is not None and there <= here)
