"""Loading one table of a portable export: read, converted where JSON stands for a list, streamed into COPY."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from qikbiz.identity.accounts.models import User
from qikbiz.kernel.errors import Conflict, Failure
from qikbiz.messaging.mail.models import MailChoice
from qikbiz.transfer.exports.catalogue import ExportedTable
from qikbiz.transfer.exports.contributions import RowFilter
from qikbiz.transfer.exports.portable_csv import NotPortable, portable_rows

ROWS_BETWEEN_LOOKS = 2_000
# Columns that hold a user's id, in whichever table.
USER_COLUMNS = frozenset({"owner_id", "created_by", "updated_by", "deleted_by", "actor_id", "user_id"})


class NotRestorable(Failure):
    """The file is no portable export, is not whole, or is of another version."""


class TableLoader:
    """One table on its way from the zip into COPY. `same_people` maps exported user ids to logins that were here."""

    def __init__(
        self,
        session: Session,
        table: ExportedTable,
        entry: Mapping[str, Any],
        same_people: dict[str, str],
        row_filter: RowFilter,
    ) -> None:
        self._session = session
        self._table = table
        self._file_name = str(entry["name"])
        self._columns = [str(column["name"]) for column in entry["columns"]]
        self._row_filter = row_filter
        # The audit stands as it was written: changing a name in it would break its chain.
        self._same_people = {} if table.name == "audit_events" else same_people

    def load(self, archive: zipfile.ZipFile, watch: Callable[[int], None]) -> int:
        """Returns the rows added. Raises NotRestorable."""
        with archive.open(self._file_name) as file:
            rows = portable_rows(io.TextIOWrapper(file, encoding="utf-8", newline=""))
            try:
                next(rows)  # the headings, which the check has compared
                rows = self._row_filter.admitted(self._table.name, self._columns, rows)
                # The users are asked about before COPY begins, since a connection in COPY answers nothing.
                wanted = iter(list(self._people(rows))) if self._table.name == "users" else rows
                ready = self._converted(wanted)
                if self._table.name == "mail_choices":
                    ready = iter(list(self._decided_last(ready)))
                return self._copy(ready, watch)
            except NotPortable as error:
                raise NotRestorable(f"{self._file_name}: {error}") from error
            except psycopg.IntegrityError as error:
                raise Conflict("Part of this export is already here: it was restored before.") from error
            except psycopg.DataError as error:
                raise NotRestorable(f"{self._file_name} contains a value that does not fit its column.") from error

    def _copy(self, rows: Iterator[list[object]], watch: Callable[[int], None]) -> int:
        connection = cast(psycopg.Connection[TupleRow], self._session.connection().connection.driver_connection)
        columns = sql.SQL(", ").join(map(sql.Identifier, self._columns))
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(self._table.name), columns)
        count = 0
        with connection.cursor().copy(into) as copy:
            for count, row in enumerate(rows, 1):
                copy.write_row(row)
                if count % ROWS_BETWEEN_LOOKS == 0:
                    watch(count)
        return count

    def _converted(self, rows: Iterator[list[str | None]]) -> Iterator[list[Any]]:
        lists = [place for place, name in enumerate(self._columns) if self._is_list(name)]
        people = (
            [place for place, name in enumerate(self._columns) if name in USER_COLUMNS] if self._same_people else []
        )
        for row in rows:
            converted: list[Any] = row  # lists take the place of their texts
            for place in lists:
                cell = converted[place]
                converted[place] = "{}" if cell == "[]" else json.loads(cell) if cell is not None else None
            for place in people:
                converted[place] = self._same_people.get(converted[place], converted[place])
            yield converted

    def _is_list(self, name: str) -> bool:
        return isinstance(self._table.column(name).type, ARRAY)

    def _people(self, rows: Iterator[list[str | None]]) -> Iterator[list[str | None]]:
        """Users without a login here, invited anew. Whoever has one keeps it, and owns what was theirs."""
        here = {row.email_key: row.id for row in self._session.execute(select(User.email_key, User.id))}
        place = {name: number for number, name in enumerate(self._columns)}
        for row in rows:
            known = here.get(row[place["email_key"]] or "")
            if known is not None:
                self._same_people[row[place["id"]] or ""] = str(known)
                continue
            if row[place["state"]] == "active":
                row[place["state"]] = "invited"
            row[place["last_seen_at"]] = None
            yield row

    def _decided_last(self, rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
        """Choices about mails: what the same person decided here, and later, stands (an opt-out is never forgotten)."""
        here = {(str(one.user_id), one.category): one for one in self._session.scalars(select(MailChoice))}
        place = {name: number for number, name in enumerate(self._columns)}
        for row in rows:
            known = here.get((row[place["user_id"]], row[place["category"]]))
            if known is not None and known.changed_at >= datetime.fromisoformat(row[place["changed_at"]]):
                continue
            if known is not None:
                self._session.execute(
                    delete(MailChoice).where(MailChoice.user_id == known.user_id, MailChoice.category == known.category)
                )
            yield row
