"""Writing the access log. The one way to do so, for every package:

    record_access(AccessKind.LOGIN, person=account)                      # in the act's transaction
    record_access(AccessKind.LOGIN, "failed", account="a@b.example")     # written even though the request fails

What is done stands or falls with its act. What failed or was refused is written after the request's transaction has
ended, in one of its own, so that it stays when that one is rolled back and no thread holds two connections.
At the console nothing is written here: staff are in the platform's audit and the abuse events.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from flask import has_request_context, request
from sqlalchemy.exc import SQLAlchemyError

from qikbiz.kernel import clock
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db, runtime, tenant_transaction
from qikbiz.security.access_log.kinds import AccessKind, Outcome
from qikbiz.security.access_log.models import AccessEvent
from qikbiz.security.ip_reputation.points import count
from qikbiz.web.client_address import client_address, shown_prefix
from qikbiz.web.user_agents import device_of_request
from tenants.context import Tenant, tenant_or_none
from tenants.control import new_id

_LATER = "qikbiz.access_events"
# A flood of failures from one address must not fill a customer's log; the chart of abuse still counts all of it.
FAILURES_PER_UNIT = 300
BLOCKS_PER_UNIT = 3
_LONGEST_ACCOUNT, _LONGEST_DETAIL = 254, 200
NOT_AN_ADDRESS = "(not an email address)"
logger = logging.getLogger(__name__)


class Named(Protocol):
    """A user, a member of staff, or the snapshot of either."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...


def record_access(
    kind: AccessKind, outcome: Outcome = "done", *, person: Named | None = None, account: str = "", detail: str = ""
) -> None:
    """Record one sign-in event of the current tenant.

    `person` is who it is about, by default who acts; `account` is the name that was tried, kept only when there is
    no person. `detail` is a short sentence in plain words, never a secret.
    """
    if tenant_or_none() is None:
        return
    row = _row(kind, outcome, person, account, detail)
    if outcome == "done":
        db.session.add(AccessEvent(**row))
    elif _is_worth_a_row(kind):
        _later().append(row) if has_request_context() else db.session.add(AccessEvent(**row))


@contextmanager
def failures_written_afterwards(tenant: Tenant) -> Iterator[None]:
    """Round a request's transaction: what was refused inside it is written when it is over, however it ended."""
    _later().clear()
    try:
        yield
    finally:
        if rows := _later():
            _write(tenant, rows)


def _write(tenant: Tenant, rows: list[dict[str, object]]) -> None:
    try:
        with tenant_transaction(tenant) as session:
            session.add_all([AccessEvent(**row) for row in rows])
    except SQLAlchemyError as error:
        # The request was answered already, or failed for a reason of its own, which this must not hide.
        logger.warning("access_not_noted", extra={"events": len(rows), "reason": type(error).__name__})


def _later() -> list[dict[str, object]]:
    later: list[dict[str, object]] = request.environ.setdefault(_LATER, [])
    return later


def _row(kind: AccessKind, outcome: Outcome, person: Named | None, account: str, detail: str) -> dict[str, object]:
    row = {
        "id": new_id(),
        "at": clock.now(),
        "kind": kind.value,
        "outcome": outcome,
        "detail": detail[:_LONGEST_DETAIL],
    }
    return row | _who(person, account) | _where()


def _who(person: Named | None, account: str) -> dict[str, object]:
    """The same columns for every name: what is sent to the database must not tell by its length who has a login."""
    actor = current_actor()
    nobody: dict[str, object] = {"person_kind": "nobody", "person_id": None, "person_name": "", "account": ""}
    if person is not None:
        kind = "staff" if actor.kind == "staff" and actor.id == person.id else "user"
        return nobody | {"person_kind": kind, "person_id": person.id, "person_name": person.name}
    if not account and actor.kind in ("user", "staff"):
        return nobody | {"person_kind": actor.kind, "person_id": actor.id, "person_name": actor.name}
    return nobody | {"account": _account(account)}


def _account(text: str) -> str:
    # The user may have typed the password into the wrong field.
    return text[:_LONGEST_ACCOUNT] if not text or "@" in text[1:] else NOT_AN_ADDRESS


def _where() -> dict[str, object]:
    if not has_request_context():
        return {}
    address = client_address(request.environ, runtime().settings.trusted_proxies)
    return {
        "address": str(address),
        "prefix": shown_prefix(address),
        "device": device_of_request(),
        "request_id": str(request.environ.get("qikbiz.request_id", "")),
    }


def _is_worth_a_row(kind: AccessKind) -> bool:
    if not has_request_context():
        return True
    most = BLOCKS_PER_UNIT if kind is AccessKind.BLOCKED else FAILURES_PER_UNIT
    counter = f"access-{'blocked' if kind is AccessKind.BLOCKED else 'failures'}"
    return count(client_address(request.environ, runtime().settings.trusted_proxies), 1, counter=counter) <= most
