"""One engine for each cell: its own login, its own pool, and no right to anything until a tenant is entered."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from tenants.connection import TenantConnection, open_tenant_connection
from tenants.context import Guest, TenantContext
from tenants.liveness import replace_dead_connections

# More than a cell holds, so that its backends stay warm: 0.5 MB a tenant with all tables touched, and a first touch
# costs 7 ms (measured with 90 tenants). It bounds cells that were made larger by hand.
TENANTS_PER_CONNECTION = 150
MOST_GUESTS = 50


class UnknownCell(Exception):
    """A tenant names a cell that the control database doesn't have."""


class Cells:
    """The engines of this process, made when first needed.

    `find_dsn` returns a cell's opened DSN, or None. `max_tenants` bounds what a backend keeps in its caches: PostgreSQL
    never frees that memory, so after that many tenants the connection is replaced.
    """

    def __init__(
        self,
        find_dsn: Callable[[str], str | None],
        *,
        pool_size: int = 4,
        max_overflow: int = 16,
        max_tenants: int = TENANTS_PER_CONNECTION,
        application_name: str = "qikbiz",
    ) -> None:
        self._find_dsn = find_dsn
        self._pool_size = pool_size
        self._max_overflow = max_overflow
        self._max_tenants = max_tenants
        self._application_name = application_name
        self._engines: dict[str, Engine] = {}
        self._guests: dict[Guest, Engine] = {}
        self._lock = threading.Lock()

    def engine(self, cell: str) -> Engine:
        """The engine of `cell`. Raises UnknownCell."""
        found = self._engines.get(cell)
        if found is not None:
            return found
        with self._lock:
            if cell not in self._engines:
                dsn = self._find_dsn(cell)
                if dsn is None:
                    raise UnknownCell(cell)
                self._engines[cell] = self._make_engine(dsn)
            return self._engines[cell]

    def engine_for(self, entry: TenantContext) -> Engine:
        """The engine that this entry connects by: the cell's, or a guest role's own."""
        guest = entry.guest
        if guest is None or not guest.dsn:
            return self.engine(entry.tenant.cell)
        with self._lock:
            if guest not in self._guests:
                if len(self._guests) >= MOST_GUESTS:
                    self._guests.clear()
                self._guests[guest] = self._make_guest_engine(guest.dsn)
            return self._guests[guest]

    def connect(self, cell: str, guest: Guest | None = None) -> TenantConnection:
        """A connection outside the pool, for work that streams for minutes. The caller closes it."""
        dsn = guest.dsn if guest and guest.dsn else self._find_dsn(cell)
        if dsn is None:
            raise UnknownCell(cell)
        connection = open_tenant_connection(dsn, self._application_name)
        connection.arm()
        return connection

    def name(self, application_name: str) -> None:
        """The options for connections made from now on."""
        self._application_name = application_name

    def in_use(self) -> int:
        """How many pooled connections of this process are at work."""
        return sum(connections_in_use(engine) for engine in self._engines.values())

    def most(self) -> int:
        """How many pooled connections this process may hold, over the cells that it has used."""
        return len(self._engines) * (self._pool_size + self._max_overflow)

    def dispose(self) -> None:
        """Close every pooled connection; engines are made again when needed (after a fork, at the end of a test)."""
        with self._lock:
            engines, self._engines, self._guests = self._engines, {}, {}
        for engine in engines.values():
            engine.dispose()

    def _make_engine(self, dsn: str) -> Engine:
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: open_tenant_connection(dsn, self._application_name),
            pool_size=self._pool_size,
            max_overflow=self._max_overflow,
            pool_timeout=5,
            pool_recycle=1800,
            pool_use_lifo=True,  # few warm backends rather than many that each know a little of every tenant
            hide_parameters=True,
            use_native_hstore=False,
        )
        event.listen(engine, "connect", _arm)
        replace_dead_connections(engine)
        event.listen(engine, "checkin", self._replace_when_full)
        return engine

    def _make_guest_engine(self, dsn: str) -> Engine:
        # No pool: no connection of a guest role may stay open when the grant has ended.
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: open_tenant_connection(dsn, f"{self._application_name}-guest"),
            poolclass=NullPool,
            hide_parameters=True,
            use_native_hstore=False,
        )
        event.listen(engine, "connect", _arm)
        return engine

    def _replace_when_full(self, connection: TenantConnection | None, entry: ConnectionPoolEntry) -> None:
        if connection is not None and len(getattr(connection, "tenants_seen", ())) >= self._max_tenants:
            entry.invalidate(soft=True)


def _arm(connection: TenantConnection, _entry: ConnectionPoolEntry) -> None:
    connection.arm()


def pool_size(engine: Engine) -> int:
    """How many connections its pool may hold."""
    return engine.pool.size() if isinstance(engine.pool, QueuePool) else 0


def connections_in_use(engine: Engine) -> int:
    """How many connections of its pool are at work."""
    return engine.pool.checkedout() if isinstance(engine.pool, QueuePool) else 0
