"""What tests of exports share: rows in a tenant, and making an export in this process as a worker would."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from qikbiz.crm.contacts.models import Contact
from qikbiz.files.store import FolderStore
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import tenant_transaction
from qikbiz.transfer.exports.actions import ask_for_export, file_of
from qikbiz.transfer.exports.job_steps import folder_of
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.selection import Selection
from tenants.context import Tenant
from tenants.control import new_id
from tenants.runtime import Runtime
from tests.fixtures.people import Person
from tests.fixtures.world import World
from workers.run_job import perform

ROOT = Path(__file__).parents[2]
PYTHON = {"PYTHONPATH": os.pathsep.join([str(ROOT / "platform"), str(ROOT)])}


@dataclass
class ExportHarness:
    """One tenant in which Alice asks for exports and they are made at once."""

    tenant: Tenant
    alice: Person
    store: FolderStore

    def add(self, **columns: Any) -> UUID:
        """Add a contact. Returns its id."""
        contact_id = new_id()
        with tenant_transaction(self.tenant) as session:
            session.execute(insert(Contact).values(id=contact_id, sort_name=columns.get("last_name", ""), **columns))
        return contact_id

    def ask(self, selection: Selection | None = None, **options: Any) -> Export:
        with acting_as(Actor("user", self.alice.id, self.alice.name)), tenant_transaction(self.tenant):
            return ask_for_export(selection or Selection(), **options)

    def make(self, selection: Selection | None = None) -> Export:
        """Ask for an export and make it. Returns it as it stands afterwards."""
        return self.make_now(self.ask(selection))

    def make_now(self, export: Export) -> Export:
        """Do the job of an export that was asked for."""
        assert export.job_id is not None
        perform(self.tenant.id, export.job_id)
        return self.now(export.id)

    def files(self) -> list[str]:
        """The names in the tenant's folder."""
        return self.store.names(folder_of(self.tenant))

    def environment(self) -> dict[str, str]:
        """For a process of its own on the same servers."""
        own = {"QIKBIZ_ENV": "test", "QIKBIZ_HOME": str(self.store.root.parent)}
        return {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | own | PYTHON

    def now(self, export_id: UUID) -> Export:
        with tenant_transaction(self.tenant) as session:
            return session.get_one(Export, export_id)

    def zip_of(self, export: Export) -> zipfile.ZipFile:
        with tenant_transaction(self.tenant):
            content = b"".join(file_of(export).read())
        return zipfile.ZipFile(io.BytesIO(content))

    def save(self, export: Export, path: Path) -> Path:
        with tenant_transaction(self.tenant):
            path.write_bytes(b"".join(file_of(export).read()))
        return path


@pytest.fixture
def nothing_waits(working: Runtime) -> None:
    """Announcements of exports that tests made themselves are gone: a worker would look at each in vain."""
    with working.redis.client() as client:
        client.flushdb()


@pytest.fixture
def export_harness(
    fresh_tenant: Callable[..., Tenant], add_person: Callable[..., Person], working: object, world: World
) -> ExportHarness:
    assert working
    tenant = fresh_tenant()
    return ExportHarness(tenant, add_person(tenant, "Alice", "administrator"), FolderStore(world.settings.files))
