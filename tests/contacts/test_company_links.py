"""Links to companies have no foreign keys: what keeps them true is tested here, with two transactions at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import pytest
from flask import current_app
from sqlalchemy import func, select, text

from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.actions import create_contact, hold_company
from qikbiz.crm.contacts.models import Contact, ContactCompany
from qikbiz.crm.records.actions import delete_records, purge_record, record_for_changing
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import db, tenant_transaction
from qikbiz.kernel.errors import NotFound
from tenants.runtime import Runtime
from tests.fixtures.records import Workspace

OtherThread = Callable[[], AbstractContextManager[Any]]


@pytest.fixture
def other_thread(working: Runtime) -> OtherThread:
    """The application context for a second thread."""
    return current_app._get_current_object().app_context  # type: ignore[attr-defined,no-any-return]  # a proxy


def put_into_trash(workspace: Workspace, company: str) -> None:
    with workspace.work():
        delete_records(COMPANIES, [UUID(company)])


def purge(workspace: Workspace, company: str) -> None:
    with workspace.work():
        purge_record(COMPANIES, record_for_changing(COMPANIES, UUID(company), in_trash=True))


def dangling(workspace: Workspace) -> int:
    with workspace.work() as session:
        gone = ~select(Company.id).where(Company.id == Contact.company_id).exists()
        contacts = select(func.count()).select_from(Contact).where(Contact.company_id.is_not(None), gone)
        orphan = ~select(Company.id).where(Company.id == ContactCompany.company_id).exists()
        links = select(func.count()).select_from(ContactCompany).where(orphan)
        return (session.scalar(contacts) or 0) + (session.scalar(links) or 0)


def test_purging_a_company_leaves_its_people_with_its_name(workspace: Workspace) -> None:
    company = workspace.add_company("Umbrella")
    ann = workspace.add_contact(last_name="Lee", company_name="Umbrella", company_id=UUID(company))
    put_into_trash(workspace, company)
    purge(workspace, company)
    with workspace.work() as session:
        found = session.get_one(Contact, UUID(ann))
        assert (found.company_id, found.company_name) == (None, "Umbrella")
    assert dangling(workspace) == 0


def test_a_company_that_is_being_linked_is_not_removed_before(workspace: Workspace, other_thread: OtherThread) -> None:
    company = workspace.add_company("Umbrella")
    put_into_trash(workspace, company)
    linked, go_on = threading.Event(), threading.Event()

    def link() -> None:
        person = workspace.people["alice"]
        with other_thread(), tenant_transaction(workspace.tenant), acting_as(Actor("user", person.id, person.name)):
            create_contact({"last_name": "Lee", "company_name": "Umbrella", "company_id": UUID(company)})
            linked.set()
            assert go_on.wait(20)

    def remove() -> None:
        with other_thread():
            purge(workspace, company)

    with ThreadPoolExecutor(2) as pool:
        linking = pool.submit(link)
        assert linked.wait(20)
        removing = pool.submit(remove)
        wait_until_locked(workspace, removing)
        go_on.set()
        linking.result(20)
        removing.result(20)
    assert dangling(workspace) == 0


def test_a_company_that_was_removed_meanwhile_is_not_linked(workspace: Workspace) -> None:
    company = workspace.add_company("Umbrella")
    put_into_trash(workspace, company)
    purge(workspace, company)
    with workspace.work(), pytest.raises(NotFound, match="no longer exists"):
        hold_company(UUID(company))


def test_a_company_is_not_removed_while_an_import_is_at_work(workspace: Workspace, other_thread: OtherThread) -> None:
    company = workspace.add_company("Umbrella")
    put_into_trash(workspace, company)
    with ThreadPoolExecutor(1) as pool, workspace.work() as session:
        session.execute(text("LOCK TABLE import_updates IN SHARE UPDATE EXCLUSIVE MODE"))

        def remove() -> None:
            with other_thread():
                purge(workspace, company)

        removing = pool.submit(remove)
        wait_until_locked(workspace, removing)
        session.commit()
        removing.result(20)
    with workspace.work():
        assert db.session.get(Company, UUID(company)) is None


def wait_until_locked(workspace: Workspace, waiting: Future[None], seconds: float = 0.5) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert not waiting.done(), "It did not wait."
        time.sleep(0.02)
