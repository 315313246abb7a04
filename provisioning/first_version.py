"""Writes migration 0001 from the models. For development before the first release only: afterwards 0001 is history.

Asked for by `make first-version`. A database made with the 0001 of before must be thrown away (`rm -r var`).
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from provisioning.render import MIGRATIONS, TENANT_ROLE
from provisioning.servers import WATCH
from qikbiz.app.features import install
from qikbiz.jobs.queries import JobStatus
from qikbiz.kernel.models import control_metadata, tenant_metadata
from qikbiz.messaging.mail.queries import MailStatus

_SCHEMA_VERSION = """CREATE TABLE schema_version (
\tversion TEXT NOT NULL,
\tchecksum TEXT NOT NULL,
\tapplied_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
\tCONSTRAINT pk_schema_version PRIMARY KEY (version)
)"""
# A tenant may add to its audit and read its version, but change neither.
_TENANT_RIGHTS = (
    f"REVOKE INSERT, UPDATE, DELETE ON schema_version FROM {TENANT_ROLE}",
    f"REVOKE UPDATE, DELETE ON audit_events FROM {TENANT_ROLE}",
    f"REVOKE UPDATE, DELETE ON page_reads FROM {TENANT_ROLE}",
    # Of the access log it may empty addresses older than 30 days and drop rows older than a year, as promised (P5).
    f"REVOKE UPDATE ON access_events FROM {TENANT_ROLE}",
    f"GRANT UPDATE (address) ON access_events TO {TENANT_ROLE}",
    "ALTER TABLE access_events ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY read_all ON access_events FOR SELECT USING (true)",
    "CREATE POLICY add_any ON access_events FOR INSERT WITH CHECK (true)",
    "CREATE POLICY forget_address ON access_events FOR UPDATE "
    "USING (at < now() - interval '30 days') WITH CHECK (address IS NULL)",
    "CREATE POLICY forget_row ON access_events FOR DELETE USING (at < now() - interval '365 days')",
    # What staff may know of a tenant without its grant: how jobs and mails went, and nothing of what they are about.
    f"GRANT SELECT ({', '.join(JobStatus.__dataclass_fields__)}) ON jobs TO {WATCH}",
    f"GRANT SELECT ({', '.join(MailStatus.__dataclass_fields__)}) ON mails TO {WATCH}",
)
_CONTROL_ROWS = ("INSERT INTO directory_state (id, version) VALUES (1, 0)",)
_TEMPLATE = '''"""{title}"""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
{statements})


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
'''


def write_first_versions() -> None:
    install()
    _write(MIGRATIONS / "control" / "0001_first_tables.py", "The control database.", control_metadata(), _CONTROL_ROWS)
    _write(MIGRATIONS / "tenant" / "0001_first_tables.py", "A tenant's schema.", tenant_metadata(), _TENANT_RIGHTS)


def _write(path: Path, title: str, metadata: MetaData, more: tuple[str, ...]) -> None:
    statements = (_SCHEMA_VERSION, *_tables(metadata), *more)
    listed = "".join(f'    """{_indented(statement)}""",\n' for statement in statements)
    path.write_text(_TEMPLATE.format(title=title, statements=listed), encoding="utf-8")


def _tables(metadata: MetaData) -> list[str]:
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy's own gap
    statements: list[str] = []
    for table in metadata.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements += [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]
    return [statement.strip().replace(" \n", "\n") for statement in statements]


def _indented(statement: str) -> str:
    return statement.replace("\t", "    ").replace("\n", "\n    ").replace("\\", "\\\\")
