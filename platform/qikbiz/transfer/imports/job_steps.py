"""What the jobs of an import do, in the transaction given to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from config.fault_injection import fault
from qikbiz.crm.records.assignment import tell_owner
from qikbiz.crm.schema.registry import record_type
from qikbiz.identity.roles.current import current_rights
from qikbiz.kernel import clock
from qikbiz.kernel.actors import acting_as, current_actor
from qikbiz.kernel.errors import Conflict
from qikbiz.messaging.notifications.actions import notify
from qikbiz.transfer.imports.access_limits import limits_of
from qikbiz.transfer.imports.actions import record_event
from qikbiz.transfer.imports.apply import By, apply, forget_staged
from qikbiz.transfer.imports.contributions import ROWS_OF_ERASED
from qikbiz.transfer.imports.diff import compare
from qikbiz.transfer.imports.import_context import acting_actor, is_anyway, plan_of, rights_for, source_of
from qikbiz.transfer.imports.lookalikes import COUNT, lookalikes
from qikbiz.transfer.imports.matching import conflicts_since, match
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.queries import import_for_changing, new_owners
from qikbiz.transfer.imports.sql import (
    OUTCOME,
    Link,
    changes_written,
    counts_of,
    link_of,
    outcome_digest,
    prepare_for,
    skipped_of,
)
from qikbiz.transfer.imports.staging import stage
from qikbiz.transfer.imports.undo import undo

APPLY_STEPS = 5
OTHERWISE = (
    "The database was restarted before the import was done, so the file was checked again. Records have changed since, "
    "and the result is now different. Nothing was imported. Look at the new result, then import."
)
# done, in all, what is being done
Watch = Callable[[int, int | None, str], None]


class ChangedSince(Conflict):
    """Between check and apply something changed, so that the import would do something else than was shown."""


def check(session: Session, import_id: UUID, watch: Watch) -> dict[str, Any]:
    """Read, stage, match and compare. Nothing of the customer's own records is touched. Raises UnreadableFile."""
    found, link = session.get_one(Import, import_id), link_of(session)
    rows, shown = _prepare(link, found, watch)
    numbers = {name: shown[name] for name in (*counts_of(link, import_id), "skipped_cells", "skipped_rows")}
    with acting_as(acting_actor(found)):
        found = _still(import_id, "checking")
        found.rows, found.counts = rows, shown
        found.state, found.problem = "checked", ""
        record_event(found, "checked", {"rows": rows, **numbers})
    fault("imports.after_check")
    return {"rows": rows, **numbers}


def _prepare(link: Link, found: Import, watch: Watch) -> tuple[int, dict[str, object]]:
    """Stage the file and work out what each row does. Gives the number of rows, and what the check shows."""
    plan, expected, import_id = plan_of(found), found.rows or None, found.id
    prepare_for(link, 0)
    staged = stage(
        link, plan, source_of(found), import_id, lambda done: watch(done, max(done, expected or 0), "Reading")
    )
    fault("imports.after_stage")
    prepare_for(link, staged.rows)
    watch(staged.rows, staged.rows, "Finding existing records")
    match(link, plan, import_id, staged.rows, found.header)
    watch(staged.rows, staged.rows, "Comparing")
    compare(link, plan, import_id, lambda _: watch(staged.rows, staged.rows, "Comparing"))
    erased = ROWS_OF_ERASED.value(link, import_id)
    more = {"blank": staged.blank, "erased": erased, COUNT: lookalikes(link, plan, import_id)}
    outcome = {OUTCOME: outcome_digest(link, import_id)}
    return staged.rows, {**counts_of(link, import_id), **skipped_of(link, import_id), **more, **outcome}


def run_apply(session: Session, import_id: UUID, watch: Watch) -> dict[str, Any]:
    """Do exactly what the check has shown, or raise ChangedSince and do nothing.

    The import's row is locked at the very end only: until then it can be cancelled, and asked for again in vain.
    """
    found, link = session.get_one(Import, import_id), link_of(session)
    if found.state != "applying":
        return dict(found.counts)
    prepare_for(link, found.rows)
    # Two imports at once would not see each other's new records.
    link.execute("LOCK TABLE import_updates IN SHARE UPDATE EXCLUSIVE MODE")
    watch(0, APPLY_STEPS, "Checking again")
    if _is_staging_lost(link, found):
        rows, shown = _prepare(link, found, lambda *_: watch(0, APPLY_STEPS, "Checking again"))
        if shown[OUTCOME] != found.counts.get(OUTCOME):
            return _ask_again(found, rows, shown)
    _refuse_changes(link, found)
    step = iter(range(1, APPLY_STEPS))
    companies = apply(link, plan_of(found), _by(found), lambda what: watch(next(step), APPLY_STEPS, what))
    forget_staged(link, import_id)
    # What was like a record before is one now.
    counts = {name: number for name, number in found.counts.items() if name not in (COUNT, OUTCOME)} | {
        "companies": companies
    }
    written = changes_written(link, import_id, "import")
    with acting_as(acting_actor(found)):
        _tell(found, counts)
        found = _still(import_id, "applying")
        found.state, found.applied_at, found.counts = "applied", clock.now(), counts
        record_event(found, "applied", {"rows": found.rows, **counts, **written})
    fault("imports.after_apply")
    return {"rows": found.rows, **counts}


def run_undo(session: Session, import_id: UUID, watch: Watch) -> dict[str, Any]:
    found, link = session.get_one(Import, import_id), link_of(session)
    if found.state != "undoing":
        return dict(found.undo_counts)
    prepare_for(link, found.rows)
    link.execute("LOCK TABLE import_updates IN SHARE UPDATE EXCLUSIVE MODE")
    watch(0, None, "Undoing the import")
    undone = undo(link, record_type(found.record_type), _by(found), anyway=is_anyway(found))
    done = undone.as_json(found.undo_counts)
    # What took nothing back is no undo: the import stands.
    state = "undone" if done["reversed"] or done["companies"] or not done["kept"] else "applied"
    written = changes_written(link, import_id, "undo")
    with acting_as(acting_actor(found)):
        found = _still(import_id, "undoing")
        found.state, found.undo_counts = state, done
        found.undone_at = clock.now() if state == "undone" else None
        numbers = {name: number for name, number in done.items() if isinstance(number, int)}
        record_event(found, "undone" if state == "undone" else "kept", numbers | written)
    fault("imports.after_undo")
    return {name: done[name] for name in ("reversed", "kept", "failed")}


def _still(import_id: UUID, state: str) -> Import:
    """The import, locked, unless it was cancelled while the work was done. Raises Conflict, which undoes the work."""
    found = import_for_changing(import_id)
    if found.state != state:
        raise Conflict("The import was cancelled. Nothing was changed.")
    return found


def note_stopped(import_id: UUID, text: str) -> None:
    """Write down why a job of this import can't do its work."""
    found = import_for_changing(import_id)
    # What was checked stays readable; an undo that failed leaves the import as it was.
    before_undo = "undone" if found.undone_at else "applied"
    found.state = {"applying": "checked", "undoing": before_undo}.get(found.state, "failed")
    found.problem = text
    if found.state == "failed":
        found.counts = {}


def _is_staging_lost(link: Link, found: Import) -> bool:
    """A crash of the database empties the tables of staged rows, which are not logged; the file makes them again."""
    return found.rows > 0 and not any(counts_of(link, found.id).values())


def _ask_again(found: Import, rows: int, shown: dict[str, Any]) -> dict[str, Any]:
    with acting_as(acting_actor(found)):
        found = _still(found.id, "applying")
        found.rows, found.counts, found.state, found.problem = rows, shown, "checked", OTHERWISE
        record_event(found, "checked", {"rows": rows})
    return {"stopped": OTHERWISE}


def _refuse_changes(link: Link, found: Import) -> None:
    staged = counts_of(link, found.id)
    if staged != {name: found.counts[name] for name in staged}:
        raise ChangedSince(
            "The result of the check is no longer kept, perhaps after a database restart. Nothing was imported. "
            "Check again."
        )
    conflicts = conflicts_since(link, plan_of(found), found.id, found.rows)
    if conflicts:
        rows = ", ".join(str(conflict["row"]) for conflict in conflicts[:10])
        raise ChangedSince(
            "Since the check, records in this file were changed or added, so the import would no longer do what was "
            f"shown (rows {rows}{', …' if len(conflicts) > 10 else ''}). Nothing was imported. "
            "Check again."
        )


def _by(found: Import) -> By:
    actor = acting_actor(found)
    changed = limits_of(record_type(found.record_type), rights_for(found)).changed
    return By(found.id, actor.id if actor.kind == "user" else None, actor.kind, actor.id, actor.name, changed)


def by_whoever_asks(found: Import) -> By:
    """As the undo itself would be done, if this person asked for it now. Raises Forbidden."""
    actor = current_actor()
    changed = limits_of(record_type(found.record_type), current_rights()).changed
    return By(found.id, actor.id if actor.kind == "user" else None, actor.kind, actor.id, actor.name, changed)


def _tell(found: Import, counts: Mapping[str, object]) -> None:
    """Notify the user who started it that it is done, and the users who were given records by it."""
    numbers = {name: f"{counts[name]:,}" for name in ("created", "updated", "unchanged", "invalid")}
    if found.actor_kind == "user" and found.created_by:
        subject = (
            f"Your import of {found.file_name} is done: {numbers['created']} created, {numbers['updated']} updated"
        )
        values = {"file": found.file_name, **numbers}
        notify(
            [found.created_by], "import_ready", subject, f"/imports/{found.id}", template="import_done", values=values
        )
    kind = record_type(found.record_type)
    for owner_id, amount in new_owners(found, kind):
        tell_owner(owner_id, kind, amount)
