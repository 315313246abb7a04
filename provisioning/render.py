"""Alembic scripts → plain statements, rendered once: `python -m provisioning.render [--check | --first]`.

A migration is authored with Alembic and numbered (`0002_say_what_is_personal.py`). It is run as a list of statements
with a checksum, so that migrating a tenant costs what PostgreSQL costs and nothing more. `tenant_head.sql` is the same
list made into one script, which a new tenant gets in one round trip.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from tenants.schema_version import HEAD, SERVED

Kind = Literal["control", "tenant"]
MIGRATIONS = Path(__file__).parent / "migrations"
HEAD_SCRIPT = MIGRATIONS / "tenant_head.sql"
# The placeholder in a migration for the tenant's own role, which is named when it runs.
TENANT_ROLE = "@tenant_role@"
_CONCURRENTLY = re.compile(r"^CREATE (?P<unique>UNIQUE )?INDEX CONCURRENTLY (?P<name>\w+) ON ", re.IGNORECASE)


class BadMigration(Exception):
    """A migration script that can't be run safely; the text says why."""


@dataclass(frozen=True)
class Migration:
    """One version: its statements in order. A concurrent one builds indexes outside of any transaction."""

    version: str
    statements: tuple[str, ...]

    @property
    def checksum(self) -> str:
        return hashlib.sha256("\0".join(self.statements).encode()).hexdigest()

    @property
    def is_concurrent(self) -> bool:
        return any(index_built_by(statement) for statement in self.statements)


def index_built_by(statement: str) -> str | None:
    """The index that a CREATE INDEX CONCURRENTLY builds, or None for any other statement."""
    found = _CONCURRENTLY.match(statement)
    return found["name"] if found else None


@cache
def migrations(kind: Kind) -> tuple[Migration, ...]:
    """Every version of this kind of database, oldest first."""
    return render_folder(MIGRATIONS / kind)


def render_folder(folder: Path) -> tuple[Migration, ...]:
    """Run each script of `folder` against paper instead of a database. Raises BadMigration."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - creating a tenant does without Alembic

    scripts = ScriptDirectory(str(folder), version_locations=[str(folder)])
    if len(scripts.get_heads()) != 1:
        raise BadMigration(f"{folder.name} has {len(scripts.get_heads())} newest versions; it must have one.")
    rendered = [Migration(script.revision, _on_paper(script.module)) for script in scripts.walk_revisions()]
    rendered.reverse()
    for migration in rendered:
        _check(migration)
    return tuple(rendered)


def head_script() -> str:
    """Every tenant migration as one script. Indexes are built plainly: the tables are empty."""
    lines = ["-- Made by `make head-script` (provisioning/render.py) from the numbered migrations; never edit it.\n"]
    for migration in migrations("tenant"):
        lines.append(f"-- {migration.version}\n")
        lines += [
            f"{re.sub(' CONCURRENTLY ', ' ', s, count=1) if index_built_by(s) else s};\n" for s in migration.statements
        ]
    rows = ", ".join(f"('{m.version}', '{m.checksum}')" for m in migrations("tenant"))
    lines.append(f"INSERT INTO schema_version (version, checksum) VALUES {rows};\n")
    return "".join(lines)


class _Paper(list[str]):
    """What Alembic writes to in its offline mode: one statement a time."""

    def write(self, text: str) -> None:
        statement = text.strip().removesuffix(";").strip()
        if statement:
            self.append(statement)

    def flush(self) -> None: ...


def _on_paper(script: object) -> tuple[str, ...]:
    from alembic.migration import MigrationContext  # noqa: PLC0415 - as above
    from alembic.operations import Operations  # noqa: PLC0415

    paper = _Paper()
    options = {"as_sql": True, "output_buffer": paper, "transactional_ddl": False}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    with Operations.context(context):
        script.upgrade()  # type: ignore[attr-defined]  # every Alembic script has it
    return tuple(paper)


def _check(migration: Migration) -> None:
    concurrent = [s for s in migration.statements if re.search(r"\bCONCURRENTLY\b", s, re.IGNORECASE)]
    if not migration.statements:
        raise BadMigration(f"{migration.version} does nothing.")
    if concurrent and len(concurrent) != len(migration.statements):
        raise BadMigration(f"{migration.version} mixes concurrent steps with others: give them a version of their own.")
    if any(index_built_by(statement) is None for statement in concurrent):
        raise BadMigration(f"{migration.version}: write a concurrent step as CREATE INDEX CONCURRENTLY name ON table.")


def _is_current() -> bool:
    rendered = migrations("tenant")
    return (
        rendered[-1].version == HEAD
        and {m.version for m in rendered} >= SERVED
        and HEAD_SCRIPT.read_text(encoding="utf-8") == head_script()
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m provisioning.render", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the head script is current")
    parser.add_argument("--first", action="store_true", help="rewrite 0001 from the models (before the first release)")
    options = parser.parse_args(arguments)
    if options.first:
        from provisioning.first_version import write_first_versions  # noqa: PLC0415 - development only

        write_first_versions()
        migrations.cache_clear()
    if not options.check:
        HEAD_SCRIPT.write_text(head_script(), encoding="utf-8")
    if not _is_current():
        print("tenant_head.sql or tenants/schema_version.py is behind: run `make head-script`.", file=sys.stderr)
        return 1
    print(f"The head script is at {HEAD}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
