"""The two databases as the product sees them: `db.session` for the tenant entered, `db.control` for the platform.

Neither is committed by the code that uses it. `tenant_transaction` and `control_transaction` are the only places that
commit; the request, the job and the command wrap themselves in one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar, NoReturn, cast
from uuid import UUID

from flask import Flask, current_app, g
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import BigInteger, DateTime, Engine, MetaData, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session, sessionmaker

from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.errors import Forbidden
from tenants.context import (
    NoTenantEntered,
    Tenant,
    WrongTenant,
    current_entry,
    entry_or_none,
    tenant_context,
    tenant_or_none,
)
from tenants.control import NAMING
from tenants.runtime import Runtime

AfterCommit = Callable[[], None]
BeforeCommit = Callable[[], None]


class TenantBase(DeclarativeBase):
    """Base of every table in a tenant's schema. The tables name no schema: the transaction's path does."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[object, object]] = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        dict[str, object]: JSONB,
        list[dict[str, Any]]: JSONB,
        list[str]: ARRAY(Text),
        int: BigInteger,
        str: Text,
    }


class NoGrant(Forbidden):
    """Staff reached for a tenant's rows without a grant of the customer's."""

    key = "no_grant"


class TenantSession(FlaskSession):
    """A session made for one tenant, which refuses to work while another is entered.

    Without this the identity map returns another tenant's object for an equal id. It also
    refuses staff who did not come in as a guest, by a role that the customer's grant keeps alive (promise P8).
    """

    def get_bind(self, *_arguments: object, **_named: object) -> Engine:
        entry = current_entry()
        key = entry.tenant.id, entry.role
        owner = self.info.setdefault("entered_as", key)
        if owner != key:
            raise WrongTenant("This session was made for another tenant.")
        if entry.guest is None and current_actor().kind == "staff":
            raise NoGrant("The customer has not granted access for this.")
        return runtime().cells.engine_for(entry)


class ControlSession(Session):
    """A session of the control database."""


class NoModels(DeclarativeBase):
    """What the extension may derive a base of its own from: the product's bases are complete."""


class Database(SQLAlchemy):
    """Flask-SQLAlchemy with the tenant's session, and beside it a session of the control database."""

    def __init__(self) -> None:
        super().__init__(
            model_class=NoModels,
            session_options={"class_": TenantSession, "scopefunc": _scope, "expire_on_commit": False},
            disable_autonaming=True,
        )
        factory = sessionmaker(class_=ControlSession, expire_on_commit=False)
        self.control: scoped_session[ControlSession] = scoped_session(factory, scopefunc=_application_context)


def _application_context() -> int:
    return id(g._get_current_object())


def _scope() -> tuple[int, UUID | None, str]:
    entry = entry_or_none()
    return _application_context(), entry.tenant.id if entry else None, entry.role if entry else ""


db = Database()

Model = TenantBase


def application() -> Flask:
    """The current application itself, for what goes on after its context ends."""
    found: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # the stubs hide the proxy
    return found


def runtime() -> Runtime:
    """The runtime of the current application."""
    return cast(Runtime, current_app.extensions["qikbiz"])


def connect_database(app: Flask, started: Runtime) -> None:
    """Bind the application to its runtime. Nothing connects yet."""
    app.extensions["qikbiz"] = started
    # The extension wants an engine of its own. Sessions choose one of the runtime's: nothing may connect by this one.
    app.config["SQLALCHEMY_DATABASE_URI"] = "postgresql+psycopg://"
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"creator": _refuse_connection}
    db.init_app(app)


def _refuse_connection() -> NoReturn:
    raise NoTenantEntered("A session of the product never uses the extension's own engine.")


@contextmanager
def tenant_transaction(tenant: Tenant, **entry: Any) -> Iterator[Session]:
    """Enter `tenant` and do one transaction's work in it: committed at the end, rolled back on any exception.

    `entry` is passed to `tenants.context.entered` (time-outs, snapshot, guest).
    """
    with tenant_context(tenant, **entry):
        session = db.session()
        try:
            yield session
            _do_last(session)
            session.commit()
            follow_up = _take_follow_ups(session)
        except BaseException:
            session.rollback()
            raise
        finally:
            db.session.remove()
        _run(follow_up)


@contextmanager
def control_transaction() -> Iterator[Session]:
    """One transaction's work in the control database: committed at the end, rolled back on any exception.

    Inside another `control_transaction` of the same application context it joins that one.
    """
    session = db.control()
    if session.info.get("working"):
        yield session
        return
    if session.bind is None:
        session.bind = runtime().control
    session.info["working"] = True
    try:
        yield session
        _do_last(session)
        session.commit()
        follow_up = _take_follow_ups(session)
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["working"] = False
        db.control.remove()
    _run(follow_up)


def before_commit(session: Session, act: BeforeCommit, *, is_first: bool = False) -> None:
    """Have `act` called as the last thing inside the transaction of `session`, when all else is done.

    `is_first` puts it before the others: for what still writes, and may wait for somebody.
    """
    acts = session.info.setdefault("before_commit", [])
    acts.insert(0 if is_first else len(acts), act)


def after_commit(session: Session, follow_up: AfterCommit) -> None:
    """Have `follow_up` called once the work of `session` is committed. It must not fail the caller."""
    session.info.setdefault("after_commit", []).append(follow_up)


def require_tenant_session() -> Session:
    """The session of the tenant entered. Raises NoTenantEntered."""
    if tenant_or_none() is None:
        raise NoTenantEntered("No tenant was entered, so there are no rows to read or write.")
    return db.session()


def _do_last(session: Session) -> None:
    for act in cast(list[BeforeCommit], session.info.pop("before_commit", [])):
        act()


def _take_follow_ups(session: Session) -> list[AfterCommit]:
    return cast(list[AfterCommit], session.info.pop("after_commit", []))


def _run(follow_ups: list[AfterCommit]) -> None:
    for follow_up in follow_ups:
        follow_up()
