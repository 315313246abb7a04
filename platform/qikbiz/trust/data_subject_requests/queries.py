"""Whom tombstones name, for a restore and for the check of an import."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from qikbiz.kernel.database import control_transaction
from qikbiz.trust.data_subject_requests.models import ErasedRecord, Tombstone


def erased_records(session: Session, tenant_ids: Iterable[UUID]) -> frozenset[UUID]:
    """The numbers of contacts that were erased here, or in one of these organisations."""
    own = set(session.scalars(select(Tombstone.record_id)))
    with control_transaction() as control:
        wanted = select(ErasedRecord.record_id).where(ErasedRecord.tenant_id.in_(list(tenant_ids)))
        return frozenset(own | set(control.scalars(wanted)))
