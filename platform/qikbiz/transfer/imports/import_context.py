"""What an import knows of its file and of who acts: the file itself, its format, the plan made of the choices."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.schema.field import ParseLocale
from qikbiz.crm.schema.registry import record_type
from qikbiz.files.store import FileGone
from qikbiz.identity.accounts.models import User
from qikbiz.identity.roles.current import current_rights
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Forbidden
from qikbiz.kernel.permissions import Action
from qikbiz.kernel.rights import Rights
from qikbiz.transfer.imports.access_limits import Owners, limits_of
from qikbiz.transfer.imports.cell_policy import OPTION, CellPolicy
from qikbiz.transfer.imports.csv_dialect import Detection, Format, UnreadableFile, detect
from qikbiz.transfer.imports.csv_reader import RowReader
from qikbiz.transfer.imports.mapping import FULL_NAME, Mapping
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.plans import SEVERAL_OF_THE_NAME, Plan, owner_key
from qikbiz.transfer.imports.uploads import Source, kept_upload
from tenants.context import current_tenant

SAMPLE_ROWS = 20
ACTING = "acting"


def format_of(found: Import) -> Format:
    options = found.options
    return Format(
        found.encoding,
        found.delimiter,
        bool(options.get("has_header", True)),
        bool(options.get("is_formula_safe", False)),
        int(options.get("header_row", 0)),
    )


def cell_policy_of(found: Import) -> CellPolicy:
    return CellPolicy.from_json(found.options.get(OPTION, {}))


def source_of(found: Import) -> Source:
    """The uploaded file. Raises UnreadableFile when it was deleted meanwhile."""
    try:
        if found.file_key is not None:
            return kept_upload(found.file_path, found.file_key)
    except FileGone:
        pass
    raise UnreadableFile("The uploaded file is no longer kept. Upload it again.")


def plan_of(found: Import) -> Plan:
    """What the import is to do, within the rights that whoever asked for this step has now. Raises Forbidden."""
    options = found.options
    # Where the file's own country was not chosen, the organisation's counts.
    region = options.get("region") or current_tenant().country
    context = ParseLocale(region, options.get("date_order", ""), options.get("decimal_mark", "."))
    mapping = Mapping.from_json(found.mapping)
    rights = rights_for(found)
    limits = limits_of(record_type(found.record_type), rights)
    return Plan(
        found.record_type,
        format_of(found),
        mapping,
        found.key_field,
        found.mode,  # type: ignore[arg-type]  # checked when chosen
        context,
        _owners(limits.made),
        limits,
        cell_policy_of(found),
    )


def rights_for(found: Import) -> Rights:
    """The rights of whoever asked for the step at hand. Raises Forbidden when they no longer allow this import."""
    with acting_as(acting_actor(found)):
        rights = current_rights()
    wanted = visible_type(record_type(found.record_type), rights)
    if not rights.scope(wanted.name, Action.IMPORT):
        raise Forbidden(f"Your role does not allow you to import {wanted.plural}.")
    closed = [name for name in sorted(Mapping.from_json(found.mapping).fields() - {FULL_NAME}) if wanted.locks(name)]
    if closed:
        raise Forbidden(f"Your role does not allow you to import the field {closed[0]}. Choose the columns again.")
    return rights


def sample_of(found: Import) -> list[list[str]]:
    """The first rows as they stand, for previews. Empty while the encoding is unknown."""
    if not found.header:
        return []
    rows: list[list[str]] = []
    for _, cells, _ in RowReader(source_of(found), format_of(found)):
        rows.append(cells)
        if len(rows) == SAMPLE_ROWS:
            break
    return rows


def detection_of(found: Import) -> Detection:
    return detect(source_of(found))


def acting_actor(found: Import) -> Actor:
    """Who asked for the step at hand."""
    acting = found.options.get(ACTING, {})
    ident = UUID(acting["id"]) if acting.get("id") else None
    grant = UUID(acting["grant"]) if acting.get("grant") else None
    return Actor(acting.get("kind", "system"), ident, acting.get("name", ""), acting.get("words"), grant=grant)


def is_anyway(found: Import) -> bool:
    """Whether the undo asked for takes back what was changed since, too."""
    return bool(found.options.get(ACTING, {}).get("anyway"))


def _owners(allowed: Owners) -> dict[str, str]:
    """By id, by address, and by name where only one is called so."""
    owners: dict[str, str] = {}
    names: dict[str, str] = {}
    for row in db.session.execute(select(User.id, User.email_key, User.name).where(User.state != "disabled")):
        if allowed is not None and row.id not in allowed:
            continue
        owners |= {str(row.id): str(row.id), row.email_key: str(row.id)}
        name = owner_key(row.name)
        names[name] = SEVERAL_OF_THE_NAME if name in names else str(row.id)
    return names | owners
