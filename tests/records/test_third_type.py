"""A third record type is none of the first two: what is said of companies does not hold for it."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from psycopg import sql
from sqlalchemy import MetaData, select
from sqlalchemy.orm import Mapped

from provisioning.servers import Connection
from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.companies.models import Company
from qikbiz.crm.companies.references import REFERENCES
from qikbiz.crm.contacts.models import Contact, ContactCompany
from qikbiz.crm.schema import registry
from qikbiz.crm.schema.common_fields import OWNERSHIP, SYSTEM
from qikbiz.crm.schema.kinds import Text
from qikbiz.crm.schema.models import RecordColumns
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.kernel import permissions
from qikbiz.kernel.database import Model
from qikbiz.kernel.permissions import Action
from qikbiz.kernel.rights import Rights, Scope
from tests.fixtures.world import Organisation
from tests.imports.harness import ImportHarness


@pytest.fixture
def deals(monkeypatch: pytest.MonkeyPatch) -> RecordType:
    for types in (registry.RECORD_TYPES, registry.BY_SINGULAR):
        monkeypatch.setattr(types, "_types", dict(types))
    monkeypatch.setattr(registry, "_references", dict(registry._references))
    monkeypatch.setattr(permissions, "_RECORD_TYPES", list(permissions._RECORD_TYPES))
    made = replace(COMPANIES, name="deal", plural="deals", label="Deal", plural_label="Deals")
    registry.register_type(made, REFERENCES)
    return made


def test_a_type_is_registered_after_those_before_it(deals: RecordType) -> None:
    assert list(registry.RECORD_TYPES) == ["contacts", "companies", "deals"]
    assert registry.record_type("deals") is deals


def test_a_name_is_registered_once(deals: RecordType) -> None:
    with pytest.raises(RuntimeError, match="already"):
        registry.register_type(deals, REFERENCES)


@pytest.mark.usefixtures("deals")
def test_purging_a_deal_takes_no_contact_off_a_company(organisation: Organisation) -> None:
    ident = UUID(organisation.add_company("Umbrella"))
    organisation.add_contact(last_name="Lee", company_name="Umbrella", company_id=ident)
    with organisation.work() as session:
        registry.call_on_purge("deal", ident)
        assert session.scalars(select(Contact.company_id)).all() == [ident]
        assert session.scalars(select(ContactCompany.company_id)).all() == [ident]
        registry.call_on_purge("company", ident)
        assert session.scalars(select(ContactCompany.company_id)).all() == []


@pytest.mark.usefixtures("deals")
def test_a_changed_deal_renames_no_company_of_a_contact(organisation: Organisation) -> None:
    ident = UUID(organisation.add_company("Umbrella"))
    organisation.add_contact(last_name="Lee", company_name="Umbrella", company_id=ident)
    with organisation.work() as session:
        renamed = session.get_one(Company, ident)
        renamed.name = "Parasol"
        registry.call_on_change("deal", renamed, {"name": ["Umbrella", "Parasol"]})
        assert session.scalars(select(Contact.company_name)).all() == ["Umbrella"]
        registry.call_on_change("company", renamed, {"name": ["Umbrella", "Parasol"]})
        assert session.scalars(select(Contact.company_name)).all() == ["Parasol"]


def test_a_process_without_features_knows_no_types() -> None:
    with pytest.raises(RuntimeError, match="did not install"):
        list(registry.RecordTypes())


class OtherModel(Model):
    """Tables that are no part of the product's schema."""

    __abstract__ = True
    metadata = MetaData()


class Deal(RecordColumns, OtherModel):
    __tablename__ = "deals"

    name: Mapped[str]
    industry: Mapped[str | None]


@pytest.fixture
def imported_deals(
    deals: RecordType, import_harness: ImportHarness, owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RecordType]:
    """Deals with a table and a declaration of their own; whoever may do something to companies may do it to them."""
    made = replace(
        deals,
        model=Deal,
        fields=(Text("name", "Name", is_required=True), Text("industry", "Branch"), *OWNERSHIP[:1], *SYSTEM),
        key_fields=("external_id", "id"),
        headings={"name": ("title", "opportunity")},
        hints=("industry",),
    )
    for types, name in ((registry.RECORD_TYPES, "deals"), (registry.BY_SINGULAR, "deal")):
        monkeypatch.setitem(types._types, name, made)
    scope = Rights.scope

    def scope_of_company(self: Rights, record_type: str, action: Action) -> Scope:
        return scope(self, "company" if record_type == "deal" else record_type, action)

    monkeypatch.setattr(Rights, "scope", scope_of_company)
    table, companies = (sql.Identifier(import_harness.tenant.schema, name) for name in ("deals", "companies"))
    owner_connection.execute("SET ROLE qb_owner")
    owner_connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(table, companies))
    yield made
    owner_connection.execute(sql.SQL("DROP TABLE {}").format(table))
    owner_connection.execute("RESET ROLE")


@pytest.mark.usefixtures("imported_deals")
def test_deals_are_imported_and_taken_back_by_their_declaration_alone(import_harness: ImportHarness) -> None:
    first = import_harness.upload("Title,Branch,External id\nRoof,Building,D-1\nCellar,,D-2\n", "deals")
    import_harness.choose(first, key="external_id")
    assert import_harness.check(first)["created"] == 2
    import_harness.apply(first)
    assert [(one.name, one.industry) for one in import_harness.records("deals")] == [
        ("Cellar", None),
        ("Roof", "Building"),
    ]
    second = import_harness.upload("Opportunity,Branch,External id\nRoof,Repairs,D-1\nCellar,,D-2\n", "deals")
    import_harness.choose(second, key="external_id")
    counts = import_harness.check(second)
    assert (counts["updated"], counts["unchanged"]) == (1, 1)
    import_harness.apply(second)
    assert import_harness.undo(second)["reversed"] == 1
    assert [one.industry for one in import_harness.records("deals")] == [None, "Building"]
    assert import_harness.undo(first)["reversed"] == 2
    assert import_harness.records("deals") == []


@pytest.mark.usefixtures("imported_deals")
def test_what_is_said_of_contacts_and_companies_is_not_offered_for_deals(import_harness: ImportHarness) -> None:
    header = "Full name,E-mail,Domain,Account name,Opportunity"
    import_id = import_harness.upload(f"{header}\nAnn Lee,ann@example.com,acme.example,Acme,Roof\n", "deals")
    assert [place["field"] for place in import_harness.found(import_id).mapping.values()] == ["name"]
