"""The only kind of connection that reaches tenant data.

It keeps two rules:
* every statement goes by the extended protocol, which takes exactly one: an injected `; RESET ROLE; …` is refused;
* the opening BEGIN carries the tenant's role and path, taken from the context at that moment. No state of a tenant is
  kept on the connection, so no later transaction can find any.
"""

from __future__ import annotations

from typing import Any, NoReturn

import psycopg
from psycopg import generators, pq
from psycopg.abc import PQGen
from psycopg.rows import TupleRow

from tenants.context import current_entry

_DONE = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


class OneStatementCursor(psycopg.Cursor[TupleRow]):
    """A cursor that never falls back to the simple protocol, with or without parameters."""

    def _execute_send(self, query: Any, *, force_extended: bool = False, binary: bool | None = None) -> None:
        super()._execute_send(query, force_extended=True, binary=binary)

    def executemany(self, query: Any, params_seq: Any, *, returning: bool = False) -> None:
        # psycopg sends many by a pipeline; the transaction must stand, inside its tenant, before the pipeline begins.
        with self._conn.lock:
            self._conn.wait(self._conn._start_query())
        super().executemany(query, params_seq, returning=returning)


class TenantConnection(psycopg.Connection[TupleRow]):
    """A connection whose every transaction starts inside the tenant that the context names, or not at all."""

    tenants_seen: set[str]
    is_armed: bool = False

    def arm(self) -> None:
        """From now on a transaction needs a tenant. Before, the login can do nothing but say its version."""
        self.tenants_seen = set()
        self.is_armed = True

    def _start_query(self) -> PQGen[None]:
        if self.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            return
        if not self.is_armed:
            yield from super()._start_query()
            return
        entry = current_entry()
        self.tenants_seen.add(entry.tenant.schema)
        # A trusted batch of our own, the only one that uses the simple protocol: one round trip instead of five.
        self.pgconn.send_query(entry.opening())
        for result in (yield from generators.execute(self.pgconn)):
            if result.status not in _DONE:
                raise psycopg.errors.error_from_result(result, encoding=self.info.encoding)

    def _exec_command(self, command: Any, result_format: pq.Format = pq.Format.TEXT) -> PQGen[Any]:
        self._check_connection_ok()
        if isinstance(command, str):
            command = command.encode(self.info.encoding)
        elif hasattr(command, "as_bytes"):
            command = command.as_bytes(self)
        self.pgconn.send_query_params(command, None, result_format=result_format)
        result = (yield from generators.execute(self.pgconn))[-1]
        if result.status not in _DONE:
            raise psycopg.errors.error_from_result(result, encoding=self.info.encoding)
        return result

    def pipeline(self) -> NoReturn:
        raise psycopg.NotSupportedError("Tenant connections don't pipeline: a pipeline would begin outside the tenant.")

    def _set_autocommit_gen(self, value: bool) -> PQGen[None]:
        if value and self.is_armed:
            raise psycopg.NotSupportedError("Tenant connections have no autocommit: SET LOCAL would hold for nothing.")
        yield from super()._set_autocommit_gen(value)


def open_tenant_connection(dsn: str, application_name: str) -> TenantConnection:
    """Connect to a cell (libpq DSN or URL). Prepared statements are off: plans break while versions are mixed."""
    return TenantConnection.connect(
        dsn,
        prepare_threshold=None,
        cursor_factory=OneStatementCursor,
        application_name=application_name,
        connect_timeout=5,
    )
