"""A contact, in the names that other CRMs use, and the link to companies with a role."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.crm.records.search_document import search_document
from qikbiz.crm.schema.models import Record
from qikbiz.kernel.database import Model

_ALIVE = text("deleted_at is null")
_OWNED = text("owner_id is not null and deleted_at is null")
SEARCHED = ("sort_name", "middle_name", "email", "company_name")
SEARCH = search_document(*SEARCHED, phone="phone")


class Contact(Record):
    """`emails` and `phones` are lists of {label, address or number, …}, the primary one first.

    `email` and `phone` repeat the primary ones, normalised, for look-up, sort and search; `other_emails` holds the
    normalised further addresses. `company_id` and `company_name` repeat the primary company for the list; it has no
    foreign key, for the reason given at the links.
    """

    __tablename__ = "contacts"
    __table_args__ = (
        Index("ix_contacts_sort_name", "sort_name", "id", postgresql_where=_ALIVE),
        Index("ix_contacts_updated_at", "updated_at", "id", postgresql_where=_ALIVE),
        Index("ix_contacts_owner", "owner_id", "sort_name", "id", postgresql_where=_OWNED),
        Index("ix_contacts_email", "email", "id", postgresql_where=_ALIVE),
        Index(
            "ix_contacts_other_emails",
            "other_emails",
            postgresql_using="gin",
            postgresql_where=text("other_emails <> '{}'"),
        ),
        Index("ix_contacts_company", "company_id", "sort_name", "id", postgresql_where=text("company_id is not null")),
        Index("ix_contacts_reports_to", "reports_to_id", postgresql_where=text("reports_to_id is not null")),
        Index("ix_contacts_external_id", "external_id", postgresql_where=text("external_id is not null")),
        Index("ix_contacts_import", "created_by_import", postgresql_where=text("created_by_import is not null")),
        Index("ix_contacts_trash", "deleted_at", "id", postgresql_where=text("deleted_at is not null")),
        Index("ix_contacts_tags", "tags", postgresql_using="gin", postgresql_where=text("tags <> '{}'")),
        Index("ix_contacts_search", "search", postgresql_using="gin"),
    )

    salutation: Mapped[str | None]
    first_name: Mapped[str | None]
    middle_name: Mapped[str | None]
    last_name: Mapped[str | None]
    job_title: Mapped[str | None]
    department: Mapped[str | None]
    email: Mapped[str | None]
    other_emails: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    emails: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    phone: Mapped[str | None]
    phones: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    company_id: Mapped[UUID | None]
    company_name: Mapped[str | None]
    reports_to_id: Mapped[UUID | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"))
    lead_source: Mapped[str | None]
    lifecycle_stage: Mapped[str | None]
    street: Mapped[str | None]
    street2: Mapped[str | None]
    city: Mapped[str | None]
    state: Mapped[str | None]
    postal_code: Mapped[str | None]
    country: Mapped[str | None]
    website: Mapped[str | None]
    linkedin_url: Mapped[str | None]
    x_url: Mapped[str | None]
    birthdate: Mapped[date | None]
    do_not_call: Mapped[bool] = mapped_column(server_default=text("false"))
    email_opt_out: Mapped[bool] = mapped_column(server_default=text("false"))
    lawful_basis: Mapped[str | None]
    lawful_basis_source: Mapped[str | None]
    consent_reviewed_on: Mapped[date | None]
    search: Mapped[str | None] = mapped_column(TSVECTOR, Computed(SEARCH, persisted=True), deferred=True)


class ContactCompany(Model):
    """One person in one company, with a role. At most one is the primary one.

    No foreign keys: checking three for each of a million imported contacts took a third of the import. Who links a
    company keeps it from being removed (`contacts.actions.hold_company`, an import's lock), and who removes a contact
    or a company for good removes its links (`contacts.companies`, undoing an import).
    """

    __tablename__ = "contact_companies"
    __table_args__ = (
        Index("ix_contact_companies_company_id", "company_id"),
        Index("uq_contact_companies_primary", "contact_id", unique=True, postgresql_where=text("is_primary")),
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    company_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str | None]
    is_primary: Mapped[bool] = mapped_column(server_default=text("false"))
    ended_on: Mapped[date | None]
