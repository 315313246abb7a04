"""A company and its address. The names are those that other CRMs use."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, Computed, ForeignKey, Index, Numeric, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.crm.records.search_document import search_document
from qikbiz.crm.schema.models import Record

_ALIVE = text("deleted_at is null")
_OWNED = text("owner_id is not null and deleted_at is null")
SEARCHED = ("sort_name", "domain", "email", "billing_city")
SEARCH = search_document(*SEARCHED, phone="phone")


class Company(Record):
    __tablename__ = "companies"
    __table_args__ = (
        Index("ix_companies_sort_name", "sort_name", "id", postgresql_where=_ALIVE),
        Index("ix_companies_updated_at", "updated_at", "id", postgresql_where=_ALIVE),
        Index("ix_companies_owner", "owner_id", "sort_name", "id", postgresql_where=_OWNED),
        Index("ix_companies_domain", "domain", postgresql_where=text("domain is not null")),
        Index("ix_companies_parent", "parent_id", postgresql_where=text("parent_id is not null")),
        Index("ix_companies_external_id", "external_id", postgresql_where=text("external_id is not null")),
        Index("ix_companies_import", "created_by_import", postgresql_where=text("created_by_import is not null")),
        Index("ix_companies_trash", "deleted_at", "id", postgresql_where=text("deleted_at is not null")),
        Index("ix_companies_tags", "tags", postgresql_using="gin", postgresql_where=text("tags <> '{}'")),
        Index("ix_companies_search", "search", postgresql_using="gin"),
    )

    name: Mapped[str]
    domain: Mapped[str | None]
    website: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    type: Mapped[str | None]
    industry: Mapped[str | None]
    number_of_employees: Mapped[int | None] = mapped_column(BigInteger)
    annual_revenue: Mapped[Decimal | None] = mapped_column(Numeric(18, 2))
    annual_revenue_currency: Mapped[str | None]
    billing_street: Mapped[str | None]
    billing_street2: Mapped[str | None]
    billing_city: Mapped[str | None]
    billing_state: Mapped[str | None]
    billing_postal_code: Mapped[str | None]
    billing_country: Mapped[str | None]
    linkedin_url: Mapped[str | None]
    x_url: Mapped[str | None]
    lead_source: Mapped[str | None]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("companies.id", ondelete="SET NULL"))
    search: Mapped[str | None] = mapped_column(TSVECTOR, Computed(SEARCH, persisted=True), deferred=True)
