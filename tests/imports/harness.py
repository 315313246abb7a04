"""Imports into a tenant without a browser: give it text, say what to do, look at the records."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select

from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.jobs.models import Job
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import db, tenant_transaction
from qikbiz.transfer.imports import actions
from qikbiz.transfer.imports.job_steps import check, run_apply, run_undo
from qikbiz.transfer.imports.mapping import Mapping
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.queries import import_for_changing
from tenants.context import Tenant
from tenants.control import new_id

Rows = Sequence[Sequence[str]]


def csv_text(header: Sequence[str], rows: Rows) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def unwatched(_done: int, _total: int | None, _what: str) -> None:
    """Progress that is ignored."""


@dataclass
class ImportHarness:
    """Imports into one tenant, each step in a transaction of its own, as a request or a job would do it."""

    app: Flask
    tenant: Tenant
    actor: Actor
    watch: Callable[[int, int | None, str], None] = field(default=unwatched)

    @contextmanager
    def at_work(self) -> Iterator[Any]:
        with (
            self.app.app_context(),
            tenant_transaction(self.tenant, statement_timeout_ms=60_000) as session,
            acting_as(self.actor),
        ):
            yield session

    def upload(self, content: str | bytes, type_name: str = "contacts", *, import_id: UUID | None = None) -> UUID:
        given = content.encode() if isinstance(content, str) else content
        with self.at_work():
            return actions.start_import(import_id or new_id(), type_name, "people.csv", io.BytesIO(given)).id

    def choose(
        self,
        import_id: UUID,
        *,
        key: str = "",
        mode: str = "upsert",
        columns: dict[str, Any] | None = None,
        **options: str,
    ) -> None:
        with self.at_work():
            found = import_for_changing(import_id)
            mapping = Mapping.from_json(found.mapping if columns is None else columns)
            actions.choose_columns(found, mapping, key=key or found.key_field, mode=mode, options=options)

    def check(self, import_id: UUID) -> dict[str, int]:
        with self.at_work() as session:
            actions.ask_check(import_for_changing(import_id))
            counts = check(session, import_id, self.watch)
            self._end_job(import_id)
        assert counts["rows"] == sum(counts[name] for name in ("created", "updated", "unchanged", "invalid"))
        return counts

    def apply(self, import_id: UUID) -> dict[str, int]:
        with self.at_work() as session:
            actions.ask_apply(import_for_changing(import_id))
            counts = run_apply(session, import_id, self.watch)
            self._end_job(import_id)
        return counts

    def undo(self, import_id: UUID) -> dict[str, Any]:
        with self.at_work() as session:
            actions.ask_undo(import_for_changing(import_id))
            done = run_undo(session, import_id, self.watch)
            self._end_job(import_id)
        return done

    def bring_in(self, content: str | bytes, type_name: str = "contacts", **choices: Any) -> dict[str, int]:
        """Everything from the file to the records. Gives the counts."""
        import_id = self.upload(content, type_name)
        self.choose(import_id, **choices)
        self.check(import_id)
        return self.apply(import_id)

    def found(self, import_id: UUID) -> Import:
        with self.at_work():
            return db.session.get_one(Import, import_id)

    def records(self, type_name: str = "contacts") -> list[Any]:
        """The records alive, by name."""
        model: Any = RECORD_TYPES[type_name].model
        with self.at_work():
            return list(
                db.session.scalars(select(model).where(model.deleted_at.is_(None)).order_by(model.sort_name, model.id))
            )

    def only(self, type_name: str = "contacts") -> Any:
        (record,) = self.records(type_name)
        return record

    def _end_job(self, import_id: UUID) -> None:
        # The work was done here: no worker is to find it again.
        found = db.session.get_one(Import, import_id)
        db.session.get_one(Job, found.job_id).state = "done"
