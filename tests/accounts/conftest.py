"""A clock that tests can move, the servers' ways to fail, and looks behind the pages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text

from qikbiz.app.request_pipeline import QikBiz
from qikbiz.kernel import clock as system_clock
from qikbiz.kernel.database import tenant_transaction
from qikbiz.messaging.mail.actions import opened_values
from qikbiz.messaging.mail.models import Mail
from tenants.context import Tenant
from tests.fixtures.servers import Servers
from tests.fixtures.world import World


class Clock:
    """Logins' own time: the real one, moved."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def move(self, **by: float) -> None:
        self.offset += timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(system_clock, "now", moved.now)
    return moved


@pytest.fixture
def redis_keys(app: QikBiz) -> Callable[..., dict[str, str]]:
    """A function that reads everything Redis holds under a pattern."""

    def read(pattern: str = "*") -> dict[str, str]:
        with app.extensions["qikbiz"].redis.client() as client:
            names = [name for name in client.keys(pattern) if client.type(name) == "string"]
            return dict(zip(names, client.mget(names), strict=True)) if names else {}

    return read


@pytest.fixture
def without_redis(servers: Servers, app: QikBiz) -> Iterator[Callable[[], Any]]:
    """A context in which Redis is really killed; afterwards it runs again and the application knows."""

    @contextmanager
    def away() -> Iterator[None]:
        servers.valkey.kill()
        try:
            yield
        finally:
            servers.valkey.start()
            forget_rest(app)

    yield away
    servers.valkey.start()
    forget_rest(app)


def forget_rest(app: QikBiz) -> None:
    """Let the application ask Redis at once, as it would a second later."""
    app.extensions["qikbiz"].redis._rest_until = 0.0


@pytest.fixture
def rows_of(app: QikBiz) -> Callable[..., list[Any]]:
    """A function that runs one query in a tenant: rows_of(world.acme.tenant, "select …", name="Alice")."""

    def read(tenant: Tenant, query: str, **values: Any) -> list[Any]:
        with app.app_context(), tenant_transaction(tenant) as session:
            result = session.execute(text(query), values)
            return list(result.mappings()) if result.returns_rows else []

    return read


@contextmanager
def counted_statements(app: QikBiz, world: World) -> Iterator[list[str]]:
    """The SQL that requests of this thread send to a tenant or to the control database inside the block."""
    seen: list[str] = []
    here = threading.get_ident()

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        # The directory's own thread looks every half second.
        if threading.get_ident() == here:
            seen.append(statement)

    runtime = app.extensions["qikbiz"]
    engines: list[Engine] = [runtime.control, runtime.cells.engine(world.acme.tenant.cell)]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def links_of(app: QikBiz) -> Callable[[Any], list[str]]:
    """A function that reads the paths of the links for a new password that a person was mailed, the oldest first."""

    def read(person: Any) -> list[str]:
        with app.app_context(), tenant_transaction(person.tenant) as session:
            wanted = select(Mail).where(Mail.template == "password_reset", Mail.to_address == person.email)
            mails = session.scalars(wanted.order_by(Mail.id)).all()
            urls = [str(opened_values(mail, person.tenant.id)["url"]) for mail in mails]
        return ["/new-password/" + url.rsplit("/", 1)[1] for url in urls]

    return read


@pytest.fixture
def codes_of(app: QikBiz) -> Callable[[Any], list[str]]:
    """A function that reads the sign-in codes that a person was mailed, the oldest first."""

    def read(person: Any) -> list[str]:
        with app.app_context(), tenant_transaction(person.tenant) as session:
            wanted = select(Mail).where(Mail.template == "mailed_code", Mail.to_address == person.email)
            mails = session.scalars(wanted.order_by(Mail.id)).all()
            return [str(opened_values(mail, person.tenant.id)["code"]) for mail in mails]

    return read
