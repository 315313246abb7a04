"""What leaves the product: every table and column of a tenant's schema stands here, exported or left out for a reason.

`tests/exports/test_catalogue.py` compares this with the schema itself, so that a migration that adds a column can't
forget to decide (promise P13: the customer's data is exported whole).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from qikbiz.kernel.models import tenant_metadata

DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
EVERYTHING = "everything"
RECORDS = ("id", "version", "external_id", "owner_id", "sort_name", "tags", "description", "created_at", "created_by",
           "created_by_import", "updated_at", "updated_by", "deleted_at", "deleted_by")  # fmt: skip


@dataclass(frozen=True)
class ExportedTable:
    """One table of the portable export; the columns in this order, the rows by `order`.

    `is_restored` is False for what would act again, or say something untrue, in another place.
    """

    name: str
    columns: tuple[str, ...]
    order: tuple[str, ...] = ("id",)
    is_restored: bool = True

    @property
    def table(self) -> Table:
        return tenant_metadata().tables[self.name]

    def column(self, name: str) -> Column[object]:
        return self.table.c[name]

    def type_of(self, name: str) -> str:
        """The column's type as the manifest names it. Lists of texts are written as JSON."""
        kind = self.column(name).type
        return "JSON list of text" if isinstance(kind, ARRAY) else kind.compile(dialect=DIALECT).lower()


# In the order in which they can be restored: what is referred to comes first.
EXPORTED: tuple[ExportedTable, ...] = (
    ExportedTable(
        "users",
        ("id", "email", "email_key", "name", "roles", "state", "time_zone", "preferences", "last_seen_at",
         "created_at"),
    ),
    ExportedTable(
        "sign_in_policy",
        ("id", "least_characters", "asks_range_service", "factor_for", "factor_roles", "idle_minutes",
         "absolute_hours", "remember_days", "networks", "sso_only", "stricter_at", "changed_at"),
        is_restored=False,
    ),
    ExportedTable("logos", ("id", "name", "picture", "changed_at"), is_restored=False),
    ExportedTable("sso_provider", ("id", "issuer", "client_id", "label", "is_on", "changed_at"), is_restored=False),
    ExportedTable(
        "sso_identities",
        ("issuer", "subject", "user_id", "created_at", "last_used_at"),
        ("issuer", "subject"),
        is_restored=False,
    ),
    ExportedTable("roles", ("id", "name", "folded_name", "rights", "created_at", "updated_at")),
    ExportedTable("teams", ("id", "name", "folded_name", "created_at")),
    ExportedTable("team_members", ("team_id", "user_id"), ("team_id", "user_id")),
    ExportedTable("mail_choices", ("user_id", "category", "choice", "how", "changed_at"), ("user_id", "category")),
    ExportedTable(
        "notifications",
        ("id", "user_id", "kind", "subject", "url", "mail", "at", "mailed_at", "read_at"),
        is_restored=False,
    ),
    ExportedTable(
        "companies",
        (*RECORDS, "name", "domain", "website", "email", "phone", "type", "industry", "number_of_employees",
                   "annual_revenue", "annual_revenue_currency", "billing_street", "billing_street2", "billing_city",
                   "billing_state", "billing_postal_code", "billing_country", "linkedin_url", "x_url", "lead_source",
                   "parent_id"),
    ),
    ExportedTable(
        "contacts",
        (*RECORDS, "salutation", "first_name", "middle_name", "last_name", "job_title", "department", "email",
                   "other_emails", "emails", "phone", "phones", "company_id", "company_name", "reports_to_id",
                   "lead_source", "lifecycle_stage", "street", "street2", "city", "state", "postal_code", "country",
                   "website", "linkedin_url", "x_url", "birthdate", "do_not_call", "email_opt_out", "lawful_basis",
                   "lawful_basis_source", "consent_reviewed_on"),
    ),
    ExportedTable(
        "contact_companies",
        ("contact_id", "company_id", "role", "is_primary", "ended_on"),
        ("contact_id", "company_id"),
    ),
    ExportedTable(
        "record_changes",
        ("id", "at", "record_type", "record_id", "version", "kind", "source", "actor_kind", "actor_id", "actor_name",
         "import_id", "changes"),
    ),
    ExportedTable(
        "audit_events",
        ("id", "chain", "seq", "at", "actor_kind", "actor_id", "actor_name", "action", "record_type", "record_id",
         "subject", "details", "request_id", "previous_hash", "private_hash", "salt", "hash"),
    ),
    ExportedTable(
        "page_reads",
        ("id", "at", "actor_kind", "actor_id", "actor_name", "view", "record_type", "filters", "part", "shown",
         "request_id"),
        is_restored=False,
    ),
    ExportedTable("tombstones", ("id", "record_id", "erased_at", "key", "marks")),
    ExportedTable(
        "erasures",
        ("id", "record_id", "state", "reference", "asked_by", "asked_by_name", "asked_at", "done_at", "problem",
         "document", "key_id", "signature"),
        is_restored=False,
    ),
    ExportedTable("audit_keeping", ("id", "months", "set_at"), is_restored=False),
    ExportedTable(
        "access_events",
        ("id", "at", "kind", "outcome", "person_kind", "person_id", "person_name", "account", "device", "detail",
         "request_id"),
        is_restored=False,
    ),
    ExportedTable("access_counts", ("day", "kind", "outcome", "events"), ("day", "kind", "outcome"), is_restored=False),
    ExportedTable(
        "imports",
        ("id", "record_type", "state", "file_name", "file_bytes", "file_sha256", "encoding", "delimiter", "header",
         "mapping", "options", "key_field", "mode", "rows", "counts", "problem", "instruction", "grant_id",
         "actor_kind", "created_by", "created_by_name", "created_at", "applied_at", "undone_at", "undo_counts"),
        is_restored=False,
    ),
    ExportedTable(
        "exports",
        ("id", "state", "scope", "filters", "columns", "product", "instruction", "grant_id", "actor_kind",
         "requested_by",
         "requested_by_name", "requested_at", "snapshot_at", "ready_at", "expires_at", "file_bytes", "file_sha256",
         "work_seconds", "downloads", "error_ref"),
        is_restored=False,
    ),
    ExportedTable(
        "mails",
        ("id", "category", "person_id", "announcement_id", "template", "to_address", "to_name", "subject", "state",
         "attempt", "next_at", "reason", "problem", "created_at", "sent_at"),
        is_restored=False,
    ),
)  # fmt: skip

EXCLUDED_TABLES: dict[str, str] = {
    "user_sessions": "Active sessions. They give access to QikBiz, and are of no use anywhere else.",
    "user_tokens": "Single-use links for invitations and new passwords. They give access to QikBiz.",
    "user_factors": "Passkeys, authenticator apps and recovery codes. They work only here, and give access to QikBiz.",
    "remember_series": "Remembered devices. They give access to QikBiz.",
    "import_rows": "Rows of an import, until it is applied or for 30 days; their file is the customer's own.",
    "import_updates": "What such an import would change. Both can be created again from the file.",
    "audit_turns": "Never holds a row. It only keeps additions to the audit in order.",
    "jobs": "How background jobs went. Their results are in the other tables.",
    "schema_version": "The version of the tables. The manifest names it.",
}
EXCLUDED_COLUMNS: dict[tuple[str, str], str] = {
    ("sign_in_policy", "break_glass"): "The hash of a code that gives access to QikBiz, and only here.",
    ("sign_in_policy", "break_glass_made_at"): "About a code that is not in the export.",
    ("sign_in_policy", "break_glass_made_by"): "About a code that is not in the export.",
    ("sso_provider", "sealed_secret"): "A secret between your identity provider and QikBiz.",
    (
        "access_events",
        "address",
    ): "We promise to delete it after 30 days, and a file would keep it. The access log's own download has it.",
    ("access_events", "prefix"): "We promise to delete it after 12 months, and a file would keep it longer.",
    ("users", "password_hash"): "A secret of the user, not of the organisation.",
    ("users", "password_changed_at"): "About a password that is not in the export.",
    ("users", "password_judged_at"): "About a password that is not in the export.",
    ("users", "epoch"): "Counts how often all sessions of the user were ended.",
    ("companies", "search"): "Computed from the other columns.",
    ("contacts", "search"): "Computed from the other columns.",
    ("imports", "file_path"): "Where QikBiz keeps the uploaded file.",
    ("imports", "file_key"): "The key of the file.",
    ("imports", "fingerprint"): "Finds the same upload again.",
    ("imports", "job_id"): "Points to a background job.",
    ("exports", "file_path"): "Where QikBiz keeps the file.",
    ("exports", "file_key"): "The key of the file.",
    ("exports", "manifest"): "Is in the export itself.",
    ("exports", "job_id"): "Points to a background job.",
    ("erasures", "job_id"): "Points to a background job.",
    ("mails", "values"): "Encrypted until the email is sent, and deleted afterwards.",
    ("mails", "data_began_at"): "When a mail server began to accept the email. Keeps it from being sent twice.",
    ("mails", "dedupe_key"): "Keeps an email from being sent twice.",
}
NOT_RESTORED = {
    ("users", "state"): "Users are invited again, or stay disabled: passwords are not in an export.",
    ("users", "last_seen_at"): "No user has signed in here yet.",
}


def exported_table(name: str) -> ExportedTable:
    """Raises KeyError."""
    return _BY_NAME[name]


def excluded_columns_of(table: str) -> dict[str, str]:
    return {column: reason for (owner, column), reason in EXCLUDED_COLUMNS.items() if owner == table}


_BY_NAME = {table.name: table for table in EXPORTED}
