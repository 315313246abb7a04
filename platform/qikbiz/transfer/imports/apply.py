"""Writing what the check has shown: set-based, all of it in the transaction at hand or nothing.

One transaction rather than chunks, because "apply exactly that" is then true by construction: nobody sees half an
import, a killed worker leaves nothing, and undoing never meets a half-made one. The price, a transaction of up to a
minute, blocks nobody: new rows are invisible and only the rows updated are locked.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from config.fault_injection import fault
from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.schema.record_type import LinkTable, derived_columns
from qikbiz.transfer.imports.access_limits import Owners
from qikbiz.transfer.imports.encoding import copy_field
from qikbiz.transfer.imports.limits import MOST_ROWS
from qikbiz.transfer.imports.plans import Plan
from qikbiz.transfer.imports.sql import Link, is_company, is_parent_by_id, is_parent_by_name, run, staged, value_of
from tenants.control import new_id

_BLOCK = 5_000
# In a contact's history: whether it was linked to its new company before. Undoing leaves such a link where it was.
LINKED = "company_linked"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class By:
    """Who imports, as columns of records and history hold it; `changed` is whose records may be changed."""

    import_id: UUID
    user_id: UUID | None
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    changed: Owners = None

    def parameters(self) -> dict[str, object]:
        return {
            "import": self.import_id,
            "user": self.user_id,
            "actor_kind": self.actor_kind,
            "actor": self.actor_id,
            "actor_name": self.actor_name,
        }


def apply(link: Link, plan: Plan, by: By, say: Say) -> int:
    """Write new and changed records, new companies, links and history. Gives the number of companies made."""
    companies = 0
    if plan.links_companies:
        say("Creating companies")
        companies = create_companies(link, plan, by)
    say("Creating records")
    _insert_records(link, plan, by)
    fault("imports.after_insert")
    if plan.links_companies and plan.record_type.link_table:
        say("Linking companies")
        _insert_links(link, plan.record_type.plural, plan.record_type.link_table, by)
    say("Updating records")
    write_updates(link, plan, by, source="import")
    fault("imports.after_update")
    return companies


def create_companies(link: Link, plan: Plan, by: By) -> int:
    """Companies that rows to be created or updated name and that are not there yet: the first spelling counts."""
    key, name = staged(plan, "company_key"), staged(plan, "company_name")
    missing = (
        f"SELECT named.key, {name} FROM (SELECT {key} AS key, min(r.row) AS row FROM import_rows r "
        f"WHERE r.import_id = %(import)s AND r.outcome IN ('created', 'updated') AND {key} IS NOT NULL "
        f"GROUP BY {key}, lower({name})) named JOIN import_rows r ON r.import_id = %(import)s AND r.row = named.row "
        f"WHERE NOT EXISTS (SELECT FROM companies c WHERE {is_company(plan, 'c')}) "
        "ORDER BY named.key"
    )
    made = 0
    with link.cursor(name="missing_companies") as cursor:
        cursor.execute(missing, {"import": by.import_id})
        while found := cursor.fetchmany(_BLOCK):
            lines = [_company_line(name, by, plan.limits.company_owner) for _, name in found]
            with link.cursor().copy(_COPY_COMPANIES) as copy:
                copy.write("".join(lines))
            made += len(found)
    return made


_COPY_COMPANIES = "COPY companies (id, name, sort_name, created_by_import, created_by, updated_by, owner_id) FROM STDIN"


def _company_line(name: str, by: By, owner_id: UUID | None) -> str:
    owner = str(owner_id) if owner_id else "\\N"
    columns = derived_columns(COMPANIES, {"name": name})
    user = str(by.user_id) if by.user_id else "\\N"
    named = f"{new_id()}\t{copy_field(name)}\t{copy_field(columns['sort_name'])}"
    return f"{named}\t{by.import_id}\t{user}\t{user}\t{owner}\n"


def _insert_records(link: Link, plan: Plan, by: By) -> None:
    """All but one first, their search documents gathered; the last one writes what is gathered into the index.

    Without it the next person who saves a contact would write megabytes of ours, and wait for it.
    """
    last = "(SELECT max(row) FROM import_rows WHERE import_id = %(import)s AND outcome = 'created')"
    link.execute("SET LOCAL gin_pending_list_limit = '64MB'")
    ids = id_prefix()
    _insert_some(link, plan, by, f"r.row < {last}", ids=ids, first=1)
    link.execute("SET LOCAL gin_pending_list_limit = '64kB'")
    _insert_some(link, plan, by, f"r.row = {last}", ids=ids, first=MOST_ROWS + 1)
    link.execute("SET LOCAL gin_pending_list_limit = '4MB'")


def id_prefix() -> str:
    """The first 80 bits of ids of version 7 (RFC 9562): the moment, and 26 bits of chance. A counter follows."""
    return f"{new_id().hex[:12]}7{secrets.token_hex(2)[1:]}{secrets.choice('89ab')}{secrets.token_hex(2)[1:]}"


def _insert_some(link: Link, plan: Plan, by: By, which: str, *, ids: str, first: int) -> None:
    columns = [name for name in plan.columns if name not in ("company_name", "owner_id")]
    targets = [*columns, *_linked_targets(plan), "owner_id"]
    values = [*(value_of(plan, name) for name in columns), *_linked_values(plan), _owner_of_new(plan)]
    # In the order of names, which is that of the ids too, most large indexes are filled from left to right instead of
    # all over: a tenth of the whole import.
    name = staged(plan, "sort_name")
    number = f"row_number() OVER (ORDER BY {name}) + {first - 1}"
    ident = f"(%(ids)s || lpad(to_hex({number}), 12, '0'))::uuid"
    run(
        link,
        f"INSERT INTO {plan.record_type.plural} (id, created_by_import, created_by, updated_by, {', '.join(targets)}) "
        f"SELECT {ident}, r.import_id, %(user)s::uuid, %(user)s::uuid, {', '.join(values)} FROM import_rows r"
        f"{_linked_tables(plan)} WHERE r.import_id = %(import)s AND r.outcome = 'created' AND {which} "
        f"ORDER BY {name}",
        **by.parameters(),
        ids=ids,
        owner=plan.limits.owner,
    )


def _owner_of_new(plan: Plan) -> str:
    """Whoever can import only what is theirs owns what names no owner."""
    given = value_of(plan, "owner_id") if "owner_id" in plan.place else "NULL"
    return f"coalesce({given}, %(owner)s::uuid)"


def _insert_links(link: Link, plural: str, table: LinkTable, by: By) -> None:
    run(
        link,
        f"INSERT INTO {table.table} ({table.own}, {table.other}, is_primary) SELECT id, {table.other}, true "
        f"FROM {plural} WHERE created_by_import = %(import)s AND {table.other} IS NOT NULL ORDER BY id",
        **by.parameters(),
    )


def write_updates(link: Link, plan: Plan, by: By, *, source: str) -> int:
    """Write the staged updates and their history; `source` is import. Gives how many records changed."""
    changes = "u.changes"
    if plan.links_companies:
        changes = f"CASE WHEN u.changes ? 'company_name' THEN u.changes || {_new_company(plan)} ELSE u.changes END"
    run(
        link,
        "INSERT INTO record_changes (id, record_type, record_id, version, kind, source, actor_kind, actor_id, "
        "actor_name, import_id, changes) "
        f"SELECT u.change_id, '{plan.record_type.name}', u.record_id, u.version + 1, 'changed', '{source}', "
        "%(actor_kind)s, "
        f"%(actor)s::uuid, %(actor_name)s, %(import)s, {changes} "
        f"FROM import_updates u JOIN {plan.record_type.plural} c ON c.id = u.record_id{_linked_tables(plan, 'u')} "
        "WHERE u.import_id = %(import)s",
        **by.parameters(),
    )
    columns = [name for name in plan.columns if name != "company_name"]
    targets = [*columns, *_linked_targets(plan)]
    values = [*(value_of(plan, name, "u") for name in columns), *_kept_or_linked_values(plan)]
    pairs = ", ".join(f"{target} = {value}" for target, value in zip(targets, values, strict=True))
    changed = run(
        link,
        f"UPDATE {plan.record_type.plural} c SET {pairs}, version = c.version + 1, updated_at = now(), "
        "updated_by = %(user)s::uuid "
        f"FROM import_updates u{_linked_tables(plan, 'u')} "
        "WHERE u.import_id = %(import)s AND c.id = u.record_id AND c.version = u.version AND c.deleted_at IS NULL",
        **by.parameters(),
    )
    if plan.links_companies and plan.record_type.link_table:
        _make_primary(link, plan.record_type.plural, plan.record_type.link_table, by.import_id)
    return changed


def _new_company(plan: Plan) -> str:
    """What the history says beside the name of a record's new company."""
    said = "'company_id', jsonb_build_array(c.company_id, k.id)"
    if table := plan.record_type.link_table:
        linked = f"EXISTS (SELECT FROM {table.table} l WHERE l.{table.own} = c.id AND l.{table.other} = k.id)"
        said += f", '{LINKED}', jsonb_build_array({linked}, true)"
    return f"jsonb_build_object({said})"


def _make_primary(link: Link, plural: str, table: LinkTable, import_id: UUID) -> None:
    """The link of each updated record to its company becomes the primary one; the one before stays beside it."""
    own, other = table.own, table.other
    moved = "SELECT u.record_id FROM import_updates u WHERE u.import_id = %(import)s AND u.changes ? 'company_name'"
    run(
        link,
        f"UPDATE {table.table} SET is_primary = false WHERE is_primary AND {own} IN ({moved})",
        **{"import": import_id},
    )
    run(
        link,
        f"INSERT INTO {table.table} ({own}, {other}, is_primary) SELECT id, {other}, true FROM {plural} "
        f"WHERE {other} IS NOT NULL AND id IN ({moved}) ON CONFLICT ({own}, {other}) DO UPDATE SET is_primary = true",
        **{"import": import_id},
    )


def forget_staged(link: Link, import_id: UUID) -> None:
    """Staged rows are of no use once applied; those refused, or with skipped cells, stay for the report."""
    run(
        link,
        "DELETE FROM import_rows WHERE import_id = %(import)s AND outcome <> 'invalid' AND skipped IS NULL",
        **{"import": import_id},
    )


def _linked_targets(plan: Plan) -> list[str]:
    return (["company_name", "company_id"] if plan.links_companies else []) + (
        ["parent_id"] if plan.links_parents else []
    )


def _linked_values(plan: Plan) -> list[str]:
    company = [f"coalesce(k.name, {staged(plan, 'company_name')})", "k.id"] if plan.links_companies else []
    return company + (["coalesce(q.id, p.id)"] if plan.links_parents else [])


def _kept_or_linked_values(plan: Plan) -> list[str]:
    """Of an update: a row whose cell is empty leaves the record linked as it is."""
    values = []
    if plan.links_companies:
        is_empty = f"{staged(plan, 'company_key', 'u')} IS NULL"
        values += [f"coalesce(k.name, {staged(plan, 'company_name', 'u')})"]
        values += [f"CASE WHEN {is_empty} THEN c.company_id ELSE k.id END"]
    return values + (["coalesce(q.id, p.id, c.parent_id)"] if plan.links_parents else [])


def _linked_tables(plan: Plan, row: str = "r") -> str:
    tables = ""
    if plan.links_companies:
        tables += f" LEFT JOIN companies k ON {is_company(plan, 'k', row)}"
    if plan.links_parents:
        tables += f" LEFT JOIN companies p ON {is_parent_by_name(plan, 'p', row)}"
        tables += f" LEFT JOIN companies q ON {is_parent_by_id(plan, 'q', row)}"
    return tables
