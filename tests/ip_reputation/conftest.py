"""Nothing that one test did about addresses is there for the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from qikbiz.kernel.database import control_transaction
from tenants.runtime import Runtime


@pytest.fixture(autouse=True)
def clean(working: Runtime) -> Iterator[Runtime]:
    forget_all(working)
    yield working
    forget_all(working)


def forget_all(working: Runtime) -> None:
    with control_transaction() as session:
        for table in ("abuse_events", "address_rules", "address_scores"):
            session.execute(text(f"DELETE FROM {table}"))
        session.execute(text("DELETE FROM platform_jobs WHERE kind = 'ip_reputation.check'"))
    with working.redis.client() as client:
        for key in client.scan_iter(working.redis.platform_key("*")):
            client.delete(key)
