"""Taking an import back: what it made goes, what it changed returns, what was changed since stays and is listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qikbiz.crm.schema.record_type import RecordType
from qikbiz.transfer.imports.apply import By, id_prefix
from qikbiz.transfer.imports.reverting import revert
from qikbiz.transfer.imports.sql import Link, run
from qikbiz.transfer.imports.undo_rules import (
    CHANGED_SINCE,
    FREE,
    KEPT,
    MOST_NAMED,
    UNREACHED,
    free_company,
    made_status,
    makes_companies,
    still_made,
)

_SUMMED = ("removed", "reverted", "trashed", "failed", "companies")


@dataclass
class Undone:
    """`kept` counts records that stay as they are, by reason; `failed` were gone already.

    `trashed` ones had been changed since, and were taken back because the person asked for it.
    """

    removed: int = 0
    reverted: int = 0
    trashed: int = 0
    failed: int = 0
    companies: int = 0
    kept: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEPT, 0))
    named: list[dict[str, str]] = field(default_factory=list)

    def keep(self, record_id: object, why: str) -> None:
        self.kept[why] += 1
        if why != UNREACHED and len(self.named) < MOST_NAMED:
            self.named.append({"id": str(record_id), "why": why})

    def as_json(self, before: Mapping[str, object]) -> dict[str, object]:
        """With what earlier tries at the same import took back; what is kept is as of now."""
        sums = {name: getattr(self, name) + before.get(name, 0) for name in _SUMMED}
        return {
            **sums,
            "reversed": sums["removed"] + sums["reverted"] + sums["trashed"],
            "kept": sum(self.kept.values()),
            "kept_why": {why: number for why, number in self.kept.items() if number},
            "kept_records": self.named,
        }


def undo(link: Link, record_type: RecordType, by: By, *, anyway: bool = False) -> Undone:
    """Revert first, then remove: a company made by the import may be named by a contact that it changed.

    `anyway` takes back what was changed since, too: fields that the import changed get their old values, and records
    that it made go to the trash, from where they can be restored.
    """
    done = Undone()
    done.reverted, done.failed = revert(link, record_type, by, done.keep, anyway=anyway)
    _remove(link, record_type, by, done)
    if anyway:
        done.trashed = _trash(link, record_type, by)
    left = f"SELECT c.id, {made_status(record_type, by)} FROM {record_type.plural} c WHERE {still_made()} ORDER BY c.id"
    for record_id, why in link.execute(left, by.parameters()):
        done.keep(record_id, why)
    if makes_companies(record_type):
        done.companies = _remove_companies(link, by)
    return done


def _remove(link: Link, record_type: RecordType, by: By, done: Undone) -> None:
    """Untouched records go for good, not to the trash: they never were the customer's own work."""
    free = f"{still_made()} AND {made_status(record_type, by)} = '{FREE}'"
    if table := record_type.link_table:
        linked = f"{table.table} l USING {record_type.plural} c WHERE l.{table.own} = c.id"
        run(link, f"DELETE FROM {linked} AND {free}", **by.parameters())
    else:
        _hold(link, record_type, by)
    done.removed = run(link, f"DELETE FROM {record_type.plural} c WHERE {free}", **by.parameters())


def _trash(link: Link, record_type: RecordType, by: By) -> int:
    """Records that people worked on go to the trash."""
    changed = ", ".join(f"'{why}'" for why in CHANGED_SINCE)
    ident = "(%(ids)s || lpad(to_hex(row_number() OVER ()), 12, '0'))::uuid"
    return run(
        link,
        f"WITH moved AS (UPDATE {record_type.plural} c SET deleted_at = now(), deleted_by = %(user)s::uuid, "
        "version = c.version + 1, updated_at = now(), updated_by = %(user)s::uuid "
        f"WHERE {still_made()} AND c.deleted_at IS NULL AND {made_status(record_type, by)} IN ({changed}) "
        "RETURNING c.id, c.version) "
        "INSERT INTO record_changes (id, record_type, record_id, version, kind, source, actor_kind, actor_id, "
        f"actor_name, import_id, changes) SELECT {ident}, '{record_type.name}', id, version, 'deleted', 'undo', "
        "%(actor_kind)s, %(actor)s::uuid, %(actor_name)s, %(import)s, '{}' FROM moved",
        **by.parameters(),
        ids=id_prefix(),
    )


def _hold(link: Link, record_type: RecordType, by: By) -> None:
    """Wait for transactions that link a record which this import made, so that the next statement sees the link."""
    made = f"SELECT 1 FROM {record_type.plural} WHERE created_by_import = %(import)s FOR UPDATE"
    run(link, f"SELECT count(*) FROM ({made}) held", **by.parameters())


def _remove_companies(link: Link, by: By) -> int:
    """Those that this import made for its contacts, or one undone before, when nothing holds them any more."""
    free = free_company()
    run(link, f"SELECT count(*) FROM (SELECT 1 FROM companies c WHERE {free} FOR UPDATE) held", **by.parameters())
    return run(link, f"DELETE FROM companies c WHERE {free}", **by.parameters())
