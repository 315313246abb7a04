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
from tests.fixtures.world import Organisation

OtherThread = Callable[[], AbstractContextManager[Any]]


@pytest.fixture
def other_thread(working: Runtime) -> OtherThread:
    """The application context for a second thread."""
    return current_app._get_current_object().app_context  # type: ignore[attr-defined,no-any-return]  # a proxy


def put_into_trash(organisation: Organisation, company: str) -> None:
    with organisation.work():
        delete_records(COMPANIES, [UUID(company)])


def purge(organisation: Organisation, company: str) -> None:
    with organisation.work():
        purge_record(COMPANIES, record_for_changing(COMPANIES, UUID(company), in_trash=True))


def dangling(organisation: Organisation) -> int:
    with organisation.work() as session:
        gone = ~select(Company.id).where(Company.id == Contact.company_id).exists()
        contacts = select(func.count()).select_from(Contact).where(Contact.company_id.is_not(None), gone)
        orphan = ~select(Company.id).where(Company.id == ContactCompany.company_id).exists()
        links = select(func.count()).select_from(ContactCompany).where(orphan)
        return (session.scalar(contacts) or 0) + (session.scalar(links) or 0)


def test_purging_a_company_leaves_its_people_with_its_name(organisation: Organisation) -> None:
    company = organisation.add_company("Umbrella")
    ann = organisation.add_contact(last_name="Lee", company_name="Umbrella", company_id=UUID(company))
    put_into_trash(organisation, company)
    purge(organisation, company)
    with organisation.work() as session:
        found = session.get_one(Contact, UUID(ann))
        assert (found.company_id, found.company_name) == (None, "Umbrella")
    assert dangling(organisation) == 0


def test_a_company_that_is_being_linked_is_not_removed_before(
    organisation: Organisation, other_thread: OtherThread
) -> None:
    company = organisation.add_company("Umbrella")
    put_into_trash(organisation, company)
    linked, go_on = threading.Event(), threading.Event()

    def link() -> None:
        person = organisation.people["alice"]
        with other_thread(), tenant_transaction(organisation.tenant), acting_as(Actor("user", person.id, person.name)):
            create_contact({"last_name": "Lee", "company_name": "Umbrella", "company_id": UUID(company)})
            linked.set()
            assert go_on.wait(20)

    def remove() -> None:
        with other_thread():
            purge(organisation, company)

    with ThreadPoolExecutor(2) as pool:
        linking = pool.submit(link)
        assert linked.wait(20)
        removing = pool.submit(remove)
        wait_until_locked(organisation, removing)
        go_on.set()
        linking.result(20)
        removing.result(20)
    assert dangling(organisation) == 0


def test_a_company_that_was_removed_meanwhile_is_not_linked(organisation: Organisation) -> None:
    company = organisation.add_company("Umbrella")
    put_into_trash(organisation, company)
    purge(organisation, company)
    with organisation.work(), pytest.raises(NotFound, match="no longer exists"):
        hold_company(UUID(company))


def test_a_company_is_not_removed_while_an_import_is_at_work(
    organisation: Organisation, other_thread: OtherThread
) -> None:
    company = organisation.add_company("Umbrella")
    put_into_trash(organisation, company)
    with ThreadPoolExecutor(1) as pool, organisation.work() as session:
        session.execute(text("LOCK TABLE import_updates IN SHARE UPDATE EXCLUSIVE MODE"))

        def remove() -> None:
            with other_thread():
                purge(organisation, company)

        removing = pool.submit(remove)
        wait_until_locked(organisation, removing)
        session.commit()
        removing.result(20)
    with organisation.work():
        assert db.session.get(Company, UUID(company)) is None


def wait_until_locked(organisation: Organisation, waiting: Future[None], seconds: float = 0.5) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert not waiting.done(), "It did not wait."
        time.sleep(0.02)
