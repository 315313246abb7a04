"""A third record type is none of the first two: what is said of companies does not hold for it."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import select

from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.companies.models import Company
from qikbiz.crm.companies.references import REFERENCES
from qikbiz.crm.contacts.models import Contact, ContactCompany
from qikbiz.crm.records import types
from qikbiz.crm.records.fields import RecordType
from tests.fixtures.records import Workspace


@pytest.fixture
def deals(monkeypatch: pytest.MonkeyPatch) -> RecordType:
    for registry in (types.RECORD_TYPES, types.BY_SINGULAR):
        monkeypatch.setattr(registry, "_types", dict(registry))
    monkeypatch.setattr(types, "_references", dict(types._references))
    made = replace(COMPANIES, name="deal", plural="deals", label="Deal", plural_label="Deals")
    types.register_type(made, REFERENCES)
    return made


def test_a_type_is_registered_after_those_before_it(deals: RecordType) -> None:
    assert list(types.RECORD_TYPES) == ["contacts", "companies", "deals"]
    assert types.record_type("deals") is deals


def test_a_name_is_registered_once(deals: RecordType) -> None:
    with pytest.raises(RuntimeError, match="already"):
        types.register_type(deals, REFERENCES)


@pytest.mark.usefixtures("deals")
def test_purging_a_deal_takes_no_contact_off_a_company(workspace: Workspace) -> None:
    ident = UUID(workspace.add_company("Umbrella"))
    workspace.add_contact(last_name="Lee", company_name="Umbrella", company_id=ident)
    with workspace.work() as session:
        types.call_on_purge("deal", ident)
        assert session.scalars(select(Contact.company_id)).all() == [ident]
        assert session.scalars(select(ContactCompany.company_id)).all() == [ident]
        types.call_on_purge("company", ident)
        assert session.scalars(select(ContactCompany.company_id)).all() == []


@pytest.mark.usefixtures("deals")
def test_a_changed_deal_renames_no_company_of_a_contact(workspace: Workspace) -> None:
    ident = UUID(workspace.add_company("Umbrella"))
    workspace.add_contact(last_name="Lee", company_name="Umbrella", company_id=ident)
    with workspace.work() as session:
        renamed = session.get_one(Company, ident)
        renamed.name = "Parasol"
        types.call_on_change("deal", renamed, {"name": ["Umbrella", "Parasol"]})
        assert session.scalars(select(Contact.company_name)).all() == ["Umbrella"]
        types.call_on_change("company", renamed, {"name": ["Umbrella", "Parasol"]})
        assert session.scalars(select(Contact.company_name)).all() == ["Parasol"]


def test_a_process_without_features_knows_no_types() -> None:
    with pytest.raises(RuntimeError, match="did not install"):
        list(types.RecordTypes())
