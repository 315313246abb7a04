"""Keeping those out of a restore who were erased: their rows don't come back, whatever the archive holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from qikbiz.transfer.exports.contributions import Row
from qikbiz.trust.data_subject_requests.models import Tombstone
from qikbiz.trust.data_subject_requests.queries import erased_records
from tenants.context import current_tenant

# Rows of these tables go when this column names a person who was erased.
_LEFT_OUT = {"contacts": "id", "contact_companies": "contact_id", "record_changes": "record_id"}


@dataclass
class Erased:
    """The numbers of contacts that were erased, and of the tombstones that stand here already."""

    records: frozenset[str] = frozenset()
    standing: frozenset[str] = frozenset()
    kept_out: set[str] = field(default_factory=set)

    @classmethod
    def known(cls, session: Session, manifest: Mapping[str, Any]) -> Erased:
        """Erased here, or in the organisation that the archive comes from."""
        places = [current_tenant().id, UUID(manifest["organisation"]["id"])]
        records = {str(one) for one in erased_records(session, places)}
        return cls(frozenset(records), frozenset(str(one) for one in session.scalars(select(Tombstone.record_id))))

    def admitted(self, table: str, columns: list[str], rows: Iterator[Row]) -> Iterator[Row]:
        """The rows of a table that may come in, without what they say about an erased person."""
        place = {name: number for number, name in enumerate(columns)}
        for row in rows:
            if table == "tombstones" and row[place["record_id"]] in self.standing:
                continue
            if table in _LEFT_OUT and row[place[_LEFT_OUT[table]]] in self.records:
                self._keep_out(row[place[_LEFT_OUT[table]]])
                continue
            if table == "contacts" and row[place["reports_to_id"]] in self.records:
                row[place["reports_to_id"]] = None
            if table == "audit_events" and row[place["record_id"]] in self.records:
                row[place["subject"]], row[place["details"]], row[place["salt"]] = "", "{}", None
            yield row

    def facts(self) -> dict[str, object]:
        """For the audit: how many were kept out."""
        return {"erased_before": len(self.kept_out)} if self.kept_out else {}

    def _keep_out(self, record_id: str | None) -> None:
        if record_id is not None:
            self.kept_out.add(record_id)
