"""Erasing one person from one organisation, in one transaction of the schema's owner: all of it or nothing.

Only the owner can take contents out of the audit. The frame of each event and its hashes stay, so that the chain can
still be checked (docs/audit-format.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from psycopg import errors, sql
from psycopg.types.json import Jsonb
from sqlalchemy.dialects.postgresql import insert

from config.fault_injection import fault
from config.settings import Settings
from provisioning.audit_retention import append
from provisioning.schema_owner import as_owner
from provisioning.servers import Connection
from qikbiz.audit.verify import TRIMMED
from qikbiz.files.store import file_store
from qikbiz.kernel.actors import SYSTEM, Actor
from qikbiz.kernel.clock import now
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.errors import Unavailable
from qikbiz.trust.data_subject_requests.models import ErasedRecord
from qikbiz.trust.data_subject_requests.receipts import PURPOSE, moment_text, receipt, signed_text
from qikbiz.trust.data_subject_requests.tombstone_keys import marks_of, new_key
from tenants.context import Tenant
from tenants.control import new_id

REDONE = "A person in this export was erased while it was being created. Request it again."
STOPPED = "A person in this file was erased. Remove the row from the file and upload it again."
_OPEN_IMPORTS = ("uploaded", "mapped", "checking", "checked", "applying")


@dataclass
class Person:
    """Whom to erase: the contact's number, every address, the organisation's own number."""

    id: UUID
    emails: list[str] = field(default_factory=list)
    external_id: str | None = None
    import_id: UUID | None = None


def erase_person(settings: Settings, tenant: Tenant, erasure_id: UUID) -> bool:
    """Carry out an erasure that was asked for; False when it was done before. Raises Unavailable for locked rows."""
    try:
        with as_owner(settings, tenant) as connection:
            asked = connection.execute(
                "SELECT record_id, reference, asked_by, asked_by_name, asked_at FROM erasures "
                "WHERE id = %s AND state = 'asked' FOR UPDATE",
                (erasure_id,),
            ).fetchone()
            if asked is None:
                return False
            record_id, reference, asked_by, asked_by_name, asked_at = asked
            person = _person(connection, record_id)
            counts, files = _remove(connection, person)
            fault("persons.removed")
            done_at = now()
            said = {"reference": reference, "asked_at": moment_text(asked_at), "erased_at": moment_text(done_at)}
            document = receipt(tenant, erasure_id, record_id, **said, counts=counts)
            key_id, signature = settings.keys.sign(PURPOSE, signed_text(document))
            connection.execute(
                "UPDATE erasures SET state = 'done', done_at = %s, document = %s, key_id = %s, signature = %s, "
                "problem = '' WHERE id = %s",
                (done_at, Jsonb(document), key_id, signature, erasure_id),
            )
            _remember(tenant, record_id)
            details = {"erasure": str(erasure_id), **counts}
            actor = Actor("user" if asked_by else "system", asked_by, asked_by_name or SYSTEM.name)
            append(connection, tenant, "contact.erased", details, actor=actor, about=("contact", record_id))
    except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
        raise Unavailable("A user is editing the contact right now.") from error
    fault("persons.committed")
    _delete_files(files)
    return True


def erase_again(settings: Settings, tenant: Tenant) -> int:
    """Erase again what a restored back-up holds of people who were erased. Returns how many it had."""
    with control_transaction() as control:
        mirrored = [row.record_id for row in control.query(ErasedRecord).filter_by(tenant_id=tenant.id)]
    found = "SELECT id FROM contacts WHERE id = ANY(%s) OR id IN (SELECT record_id FROM tombstones)"
    files: list[str] = []
    with as_owner(settings, tenant) as connection:
        returned = [row[0] for row in connection.execute(found, (mirrored,)).fetchall()]
        done = [(record_id, *_remove(connection, _person(connection, record_id))) for record_id in returned]
        for record_id, counts, more in done:
            files += more
            append(connection, tenant, "contact.erased_again", counts, about=("contact", record_id))
    _delete_files(files)
    return len(returned)


def _person(connection: Connection, record_id: UUID) -> Person:
    row = connection.execute(
        "SELECT email, other_emails, emails, external_id, created_by_import FROM contacts WHERE id = %s FOR UPDATE",
        (record_id,),
    ).fetchone()
    if row is None:
        # Deleted permanently before: what the history and the audit say about it is erased all the same.
        return Person(record_id)
    email, others, listed, external_id, import_id = row
    addresses = [email, *others, *(entry.get("address") for entry in listed)]
    folded = sorted({address.strip().lower() for address in addresses if address and address.strip()})
    return Person(record_id, folded, external_id, import_id)


def _remove(connection: Connection, person: Person) -> tuple[dict[str, int], list[str]]:
    """What was removed, by kind, and the files to delete once that is committed."""
    imports = _imports_about(connection, person)
    counts = {"import_rows": _remove_staged(connection, person)}
    uploads = _delete_uploads(connection, imports, person.id)
    exports = _end_exports(connection)
    counts |= {"uploaded_files": len(uploads), "export_files": len(exports)}
    counts["history"] = _run(connection, "DELETE FROM record_changes WHERE record_id = %s", person.id)
    counts["companies"] = _run(connection, "DELETE FROM contact_companies WHERE contact_id = %s", person.id)
    counts["mails"] = _remove_mails(connection, person.emails)
    statement = "DELETE FROM notifications WHERE strpos(url, %s) > 0"
    counts["notifications"] = connection.execute(statement, (str(person.id),)).rowcount
    counts["contacts"] = _run(connection, "DELETE FROM contacts WHERE id = %s", person.id)
    counts["audit_events"] = _redact_audit(connection, person)
    _put_tombstone(connection, person)
    return counts, [*uploads, *exports]


_ABOUT = (
    "(record_id = %(id)s OR lower(key) = ANY(%(emails)s) OR EXISTS (SELECT FROM unnest(values) cell, "
    "unnest(%(emails)s::text[]) address WHERE strpos(lower(cell), address) > 0))"
)


def _imports_about(connection: Connection, person: Person) -> list[UUID]:
    question = (
        "SELECT import_id FROM record_changes WHERE record_id = %(id)s AND import_id IS NOT NULL "
        "UNION SELECT import_id FROM import_updates WHERE record_id = %(id)s "
        f"UNION SELECT import_id FROM import_rows WHERE {_ABOUT} "
        "UNION SELECT id FROM imports WHERE id = %(import)s"
    )
    given = {"id": person.id, "emails": person.emails, "import": person.import_id}
    return [row[0] for row in connection.execute(question.encode(), given).fetchall()]


def _remove_staged(connection: Connection, person: Person) -> int:
    given = {"id": person.id, "emails": person.emails}
    rows = (
        "DELETE FROM import_rows r WHERE EXISTS (SELECT FROM import_updates u WHERE u.import_id = r.import_id "
        f"AND u.row = r.row AND u.record_id = %(id)s) OR {_ABOUT}"
    )
    removed = connection.execute(rows.encode(), given).rowcount
    connection.execute("DELETE FROM import_updates WHERE record_id = %(id)s", given)
    return removed


def _delete_uploads(connection: Connection, imports: Sequence[UUID], record_id: UUID) -> list[str]:
    """Without their keys the uploaded files are gone; an import that was not applied yet can't go on."""
    kept = "SELECT file_path FROM imports WHERE id = ANY(%s) AND file_key IS NOT NULL"
    paths = [row[0] for row in connection.execute(kept, (list(imports),)).fetchall()]
    connection.execute("UPDATE imports SET file_key = NULL WHERE id = ANY(%s)", (list(imports),))
    connection.execute(
        "UPDATE imports SET state = 'cancelled', problem = %s WHERE id = ANY(%s) AND state = ANY(%s)",
        (STOPPED, list(imports), list(_OPEN_IMPORTS)),
    )
    connection.execute(
        "UPDATE imports SET undo_counts = jsonb_set(undo_counts, '{kept_records}', "
        "(SELECT coalesce(jsonb_agg(one), '[]') FROM jsonb_array_elements(undo_counts -> 'kept_records') one "
        "WHERE one ->> 'id' <> %(id)s)) "
        "WHERE jsonb_typeof(undo_counts -> 'kept_records') = 'array' AND undo_counts::text LIKE '%%' || %(id)s || '%%'",
        {"id": str(record_id)},
    )
    return paths


def _end_exports(connection: Connection) -> list[str]:
    """Every file that may hold the person, and those being made."""
    holding = "scope <> 'companies'"
    ready = f"SELECT file_path FROM exports WHERE state = 'ready' AND {holding} AND file_path IS NOT NULL"
    paths = [row[0] for row in connection.execute(ready.encode()).fetchall()]
    ended = "UPDATE exports SET state = 'deleted', file_key = NULL, file_path = NULL WHERE state = 'ready'"
    connection.execute(f"{ended} AND {holding}".encode())
    stopped = "UPDATE exports SET state = 'failed', manifest = %s WHERE state IN ('waiting', 'running')"
    connection.execute(f"{stopped} AND {holding}".encode(), (Jsonb({"problem": REDONE}),))
    return paths


def _remove_mails(connection: Connection, emails: list[str]) -> int:
    """Not those to a user of the workspace: they belong to the account."""
    theirs = "lower(to_address) = ANY(%s) AND lower(to_address) NOT IN (SELECT lower(email) FROM users)"
    ended = connection.execute(
        f"DELETE FROM mails WHERE {theirs} AND state IN ('sent', 'unknown', 'failed', 'dropped')".encode(), (emails,)
    ).rowcount
    waiting = connection.execute(
        "UPDATE mails SET state = 'dropped', to_address = '', to_name = '', subject = '', values = '{}' "
        f"WHERE {theirs}".encode(),
        (emails,),
    ).rowcount
    return ended + waiting


def _redact_audit(connection: Connection, person: Person) -> int:
    """Events about the record, and those of other records that name an address. Logins of users are another matter."""
    names = (
        "record_type <> 'user' AND EXISTS (SELECT FROM unnest(%(emails)s::text[]) address "
        "WHERE strpos(lower(subject), address) > 0 OR strpos(lower(details::text), address) > 0)"
    )
    return connection.execute(
        "UPDATE audit_events SET subject = '', details = '{}', salt = NULL "
        f"WHERE salt IS NOT NULL AND action <> %(trimmed)s AND (record_id = %(id)s OR ({names}))".encode(),
        {"id": person.id, "emails": person.emails, "trimmed": TRIMMED},
    ).rowcount


def _put_tombstone(connection: Connection, person: Person) -> None:
    standing = connection.execute("SELECT key FROM tombstones ORDER BY id LIMIT 1").fetchone()
    key = standing[0] if standing else new_key()
    marks = marks_of(key, person.emails, person.external_id)
    connection.execute(
        "INSERT INTO tombstones (id, record_id, key, marks) VALUES (%s, %s, %s, %s) ON CONFLICT (record_id) DO UPDATE "
        "SET marks = ARRAY(SELECT DISTINCT unnest(tombstones.marks || excluded.marks) ORDER BY 1) "
        "WHERE tombstones.key = excluded.key",
        (new_id(), person.id, key, marks),
    )


def _remember(tenant: Tenant, record_id: UUID) -> None:
    # Before the commit: rather known as erased a moment too early than forgotten.
    with control_transaction() as control:
        values = {"tenant_id": tenant.id, "record_id": record_id}
        control.execute(insert(ErasedRecord).values(**values).on_conflict_do_nothing())


def _run(connection: Connection, statement: str, record_id: UUID) -> int:
    return connection.execute(sql.SQL(statement), (record_id,)).rowcount


def _delete_files(names: Sequence[str]) -> None:
    for name in names:
        file_store().delete(name)
